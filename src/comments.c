/*
 * comments.c
 *	  The language of the comments on the extension's objects:
 *	  apply_comments.
 *
 * There is one comment for everybody in the database, so it is chosen for the
 * database, by a call.  The COMMENT statements of each language are in a file
 * beside the extension's script, which is trusted as that is.
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "sql.h"
#include "storage/fd.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pool_apply_comments);

#define FILE_BEGIN	"pool_ext.comments."
#define FILE_END	".sql"

static void
check_caller(void)
{
	if (has_privs_of_role(GetUserId(), pool_sql_owner()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for function pool.%s",
					"apply_comments"),
			 errdetail("Only superusers and members of the role that owns the "
					   "extension may rewrite its comments."),
			 errhint("Ask the owner of the extension.")));
}

static char *
arg_locale(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "locale"),
				 errdetail("It has no default, and the call cannot do without it."),
				 errhint("For example 'en' or 'zh_CN'.")));
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

static char *
directory(void)
{
	char		share[MAXPGPATH];

	get_share_path(my_exec_path, share);
	return psprintf("%s/extension", share);
}

/* The language that a file of this name is in; NULL if it is another file. */
static char *
language_of(const char *name)
{
	size_t		length = strlen(name);
	size_t		around = strlen(FILE_BEGIN) + strlen(FILE_END);

	if (length <= around ||
		strncmp(name, FILE_BEGIN, strlen(FILE_BEGIN)) != 0 ||
		strcmp(name + length - strlen(FILE_END), FILE_END) != 0)
		return NULL;
	return pnstrdup(name + strlen(FILE_BEGIN), length - around);
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(strVal(lfirst(a)), strVal(lfirst(b)));
}

/* The languages there are files of, as strings, sorted. */
static List *
known_languages(void)
{
	const char *path = directory();
	DIR		   *dir = AllocateDir(path);
	struct dirent *entry;
	List	   *languages = NIL;

	while ((entry = ReadDir(dir, path)) != NULL)
	{
		char	   *language = language_of(entry->d_name);

		if (language != NULL)
			languages = lappend(languages, makeString(language));
	}
	FreeDir(dir);
	list_sort(languages, compare_names);
	return languages;
}

static void
refuse(const char *locale, List *languages)
{
	StringInfoData known;
	ListCell   *lc;

	initStringInfo(&known);
	foreach(lc, languages)
		appendStringInfo(&known, "%s%s", known.len > 0 ? ", " : "",
						 strVal(lfirst(lc)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there are no comments in language \"%.64s\"",
					pool_cut(locale, 64)),
			 errdetail("Each language is a file that is installed with the extension."),
			 errhint("Known are: %s.", known.data)));
}

/*
 * The text in the encoding of the database: 22P05 where that lacks
 * characters.  SQL_ASCII has none of its own and takes UTF-8 as it is.
 */
static char *
to_database_encoding(const StringInfo text, const char *language)
{
	int			encoding = GetDatabaseEncoding();
	Size		size = (Size) text->len * MAX_CONVERSION_GROWTH + 1;
	Oid			proc;
	char	   *converted;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return pg_any_to_server(text->data, text->len, PG_UTF8);
	proc = FindDefaultConversionProc(PG_UTF8, encoding);
	converted = palloc(size);
	if (!OidIsValid(proc) ||
		pg_do_encoding_conversion_buf(proc, PG_UTF8, encoding,
									  (unsigned char *) text->data, text->len,
									  (unsigned char *) converted, size,
									  true) < text->len)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("comments in language \"%s\" cannot be written in encoding \"%s\"",
						language, GetDatabaseEncodingName()),
				 errdetail("The encoding of this database lacks characters of them."),
				 errhint("A database in UTF8 takes all of them.")));
	return converted;
}

/* The statements of a language that is known. */
static char *
read_statements(const char *language)
{
	char	   *path = psprintf("%s/%s%s%s", directory(), FILE_BEGIN, language,
								FILE_END);
	FILE	   *file = AllocateFile(path, PG_BINARY_R);
	StringInfoData text;
	char		chunk[8192];
	size_t		n;

	if (file == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	initStringInfo(&text);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		appendBinaryStringInfo(&text, chunk, n);
	if (ferror(file))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", path)));
	FreeFile(file);
	return to_database_encoding(&text, language);
}

/*
 * pool.apply_comments(locale)
 */
Datum
pool_apply_comments(PG_FUNCTION_ARGS)
{
	char	   *locale;
	List	   *languages;
	PoolSql		sql;
	int			rc;

	PreventCommandIfReadOnly("pool.apply_comments()");
	PreventCommandDuringRecovery("pool.apply_comments()");
	PreventCommandIfParallelMode("pool.apply_comments()");
	check_caller();
	locale = arg_locale(fcinfo);
	languages = known_languages();
	/* a name that is found in the directory leads nowhere else */
	if (!list_member(languages, makeString(locale)))
		refuse(locale, languages);

	sql = pool_sql_begin();
	rc = SPI_execute(read_statements(locale), false, 0);
	if (rc < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(rc));
	pool_sql_end(sql);
	PG_RETURN_VOID();
}
