/*
 * effect.c
 *	  What an event of the log does to its lead: the kinds and the keys of their
 *	  details, read from a row.
 *
 * The view event_effect says the same in SQL, for whoever looks at single
 * events; verify() recounts the roll-ups by it.
 */
#include "compat.h"
#include "effect.h"

#include "catalog.h"
#include "event.h"
#include "utils/builtins.h"

/* what is not known from the kind alone */
#define SAYS_BEFORE	1			/* the detail has the status before */
#define MAY_MOVE	2			/* it may have the pool the lead came from */
#define ENDS_SPELL	4			/* member_id is whose spell ends */

static const struct
{
	const char *name;
	PoolEffectKind kind;
	PoolStock	before;			/* if the detail says nothing else */
	PoolStock	after;
	int			flags;
}			kinds[] =

{
	{"claimed", POOL_EFFECT_CLAIMED,
	POOL_STOCK_AVAILABLE, POOL_STOCK_OWNED, 0},
	{"followed_up", POOL_EFFECT_FOLLOWED_UP,
	POOL_STOCK_NONE, POOL_STOCK_NONE, 0},
	{"entered", POOL_EFFECT_ENTERED,
	POOL_STOCK_NONE, POOL_STOCK_AVAILABLE, SAYS_BEFORE},
	{"released", POOL_EFFECT_RELEASED,
	POOL_STOCK_OWNED, POOL_STOCK_AVAILABLE, MAY_MOVE | ENDS_SPELL},
	{"reclaimed", POOL_EFFECT_RECLAIMED,
	POOL_STOCK_OWNED, POOL_STOCK_AVAILABLE, MAY_MOVE | ENDS_SPELL},
	{"assigned", POOL_EFFECT_ASSIGNED,
	POOL_STOCK_AVAILABLE, POOL_STOCK_OWNED, MAY_MOVE},
	{"transferred", POOL_EFFECT_TRANSFERRED,
	POOL_STOCK_OWNED, POOL_STOCK_OWNED, MAY_MOVE},
	{"moved", POOL_EFFECT_MOVED,
	POOL_STOCK_AVAILABLE, POOL_STOCK_AVAILABLE, MAY_MOVE},
	{"converted", POOL_EFFECT_CONVERTED,
	POOL_STOCK_OWNED, POOL_STOCK_CONVERTED, SAYS_BEFORE | ENDS_SPELL},
	{"archived", POOL_EFFECT_ARCHIVED,
	POOL_STOCK_NONE, POOL_STOCK_ARCHIVED, SAYS_BEFORE | ENDS_SPELL},
	{"reopened", POOL_EFFECT_REOPENED,
	POOL_STOCK_NONE, POOL_STOCK_AVAILABLE, SAYS_BEFORE | MAY_MOVE},
	{"review", POOL_EFFECT_REVIEW,
	POOL_STOCK_NONE, POOL_STOCK_REVIEW, SAYS_BEFORE},
	{"erased", POOL_EFFECT_ERASED,
	POOL_STOCK_NONE, POOL_STOCK_ARCHIVED, SAYS_BEFORE | ENDS_SPELL}
};

static PoolStock
stock_of(const char *name, int len, PoolStock if_none)
{
	static const char *const names[] = {
		[POOL_STOCK_AVAILABLE] = "available",
		[POOL_STOCK_REVIEW] = "review",
		[POOL_STOCK_OWNED] = "owned",
		[POOL_STOCK_CONVERTED] = "converted",
		[POOL_STOCK_ARCHIVED] = "archived",
	};

	for (int i = POOL_STOCK_AVAILABLE; i < (int) lengthof(names); i++)
		if ((int) strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return i;
	return if_none;
}

static JsonbValue *
get_string(Jsonb *detail, const char *key, JsonbValue *buffer)
{
	JsonbValue *found = getKeyJsonValueFromContainer(&detail->root, key,
													 strlen(key), buffer);

	return found != NULL && found->type == jbvString ? found : NULL;
}

static void
read_before(PoolEffect *effect)
{
	JsonbValue	buffer;
	JsonbValue *from = get_string(effect->detail, "from", &buffer);

	if (from != NULL)
		effect->before = stock_of(from->val.string.val, from->val.string.len,
								  effect->before);
}

static void
read_from_pool(PoolEffect *effect)
{
	JsonbValue	buffer;
	JsonbValue *day;
	int32		pool_id = pool_detail_get_int(effect->detail, "from_pool");

	if (pool_id == 0)
		return;
	effect->from_pool_id = pool_id;
	/* only where it is another day there than in the new pool */
	day = get_string(effect->detail, "from_day", &buffer);
	if (day != NULL)
		effect->from_day =
			DatumGetDateADT(DirectFunctionCall1(date_in,
												CStringGetDatum(pnstrdup(day->val.string.val,
																		 day->val.string.len))));
}

/* What the kind leaves to the detail. */
static void
read_detail(PoolEffect *effect, int flags)
{
	if (flags & SAYS_BEFORE)
		read_before(effect);
	if (flags & MAY_MOVE)
		read_from_pool(effect);
	if (effect->kind == POOL_EFFECT_TRANSFERRED)
		effect->former_id = pool_detail_get_int(effect->detail, "from");
}

static int32
get_id(TupleTableSlot *slot, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, attnum, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

static bool
is_text(text *value, const char *name)
{
	int			len = strlen(name);

	return (int) VARSIZE_ANY_EXHDR(value) == len &&
		memcmp(VARDATA_ANY(value), name, len) == 0;
}

static void
read_kind(PoolEffect *effect, int i)
{
	effect->kind = kinds[i].kind;
	effect->before = kinds[i].before;
	effect->after = kinds[i].after;
	if (kinds[i].flags & ENDS_SPELL)
		effect->former_id = effect->member_id;
	if (effect->detail != NULL)
		read_detail(effect, kinds[i].flags);
	if (effect->kind == POOL_EFFECT_ERASED &&
		effect->before == POOL_STOCK_CONVERTED)
		effect->after = POOL_STOCK_CONVERTED;
}

/* Reads the event in the slot, on which what is read goes on to depend. */
void
pool_effect_read(TupleTableSlot *event, PoolEffect *effect)
{
	bool		isnull;
	Datum		value;
	text	   *kind;

	memset(effect, 0, sizeof(PoolEffect));
	slot_getallattrs(event);
	effect->tenant_id = get_id(event, EVENT_TENANT_ID);
	effect->pool_id = effect->from_pool_id = get_id(event, EVENT_POOL_ID);
	effect->day = effect->from_day =
		DatumGetDateADT(slot_getattr(event, EVENT_DAY, &isnull));
	effect->member_id = get_id(event, EVENT_MEMBER_ID);
	effect->rule_id = get_id(event, EVENT_RULE_ID);
	value = slot_getattr(event, EVENT_SOURCE, &isnull);
	effect->source = isnull ? (Datum) 0 : value;
	value = slot_getattr(event, EVENT_DETAIL, &isnull);
	effect->detail = isnull ? NULL : DatumGetJsonbP(value);
	kind = DatumGetTextPP(slot_getattr(event, EVENT_KIND, &isnull));
	for (int i = 0; i < (int) lengthof(kinds); i++)
		if (is_text(kind, kinds[i].name))
		{
			read_kind(effect, i);
			break;
		}
}
