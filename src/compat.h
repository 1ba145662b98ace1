/*
 * compat.h
 *	  What differs between PostgreSQL majors, in the newest form.
 *
 * Every PG_VERSION_NUM of the project lives here.
 */
#ifndef POOL_COMPAT_H
#define POOL_COMPAT_H

#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"
#include "message.h"
#include "utils/snapmgr.h"

#if PG_VERSION_NUM < 150000
#error "pool_ext needs PostgreSQL 15 or newer"
#endif

/*
 * Before 16 the headers export nothing explicitly, and we compile with hidden
 * visibility so that our symbols cannot clash with another library's.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname) \
extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record * CppConcat(pg_finfo_,funcname)(void); \
const Pg_finfo_record * \
CppConcat(pg_finfo_,funcname) (void) \
{ \
	static const Pg_finfo_record my_finfo = { 1 }; \
	return &my_finfo; \
} \
extern int no_such_variable
#endif

#if PG_VERSION_NUM < 180000
#define PG_MODULE_MAGIC_EXT(...) PG_MODULE_MAGIC
#endif

#if PG_VERSION_NUM >= 160000
#define pool_decode_date_time(field, ftype, nf, dtype, tm, fsec, tz) \
	DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz, \
				   &(DateTimeErrorExtra) {0})
#else
#define pool_decode_date_time(field, ftype, nf, dtype, tm, fsec, tz) \
	DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tz)
#endif

/* What a check hook leaves behind is not malloc's from 16 on. */
#if PG_VERSION_NUM < 160000
#define guc_malloc(elevel, size) malloc(size)
#endif

#if PG_VERSION_NUM < 170000
#define MyProcNumber (MyBackendId - 1)
#endif

#if PG_VERSION_NUM >= 160000
#define pool_begin_epq(epq, estate) \
	EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL)
#else
#define pool_begin_epq(epq, estate) \
	EvalPlanQualInit(epq, estate, NULL, NIL, -1)
#endif

#if PG_VERSION_NUM >= 160000
#define pool_relation_number(rel) ((rel)->rd_locator.relNumber)
#else
#define pool_relation_number(rel) ((rel)->rd_node.relNode)
#endif

#if PG_VERSION_NUM >= 160000
#define pool_may_execute(func, role) \
	(object_aclcheck(ProcedureRelationId, func, role, ACL_EXECUTE) == ACLCHECK_OK)
#else
#define pool_may_execute(func, role) \
	(pg_proc_aclcheck(func, role, ACL_EXECUTE) == ACLCHECK_OK)
#endif

#if PG_VERSION_NUM >= 160000
#define pool_owns_relation(relid, role) \
	object_ownercheck(RelationRelationId, relid, role)
#else
#define pool_owns_relation(relid, role) pg_class_ownercheck(relid, role)
#endif

#if PG_VERSION_NUM >= 180000
#define pool_check_exprs ri_CheckConstraintExprs
#else
#define pool_check_exprs ri_ConstraintExprs
#endif

#if PG_VERSION_NUM >= 180000
#define pool_index_beginscan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, 0)
#else
#define pool_index_beginscan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, nkeys, 0)
#endif

#if PG_VERSION_NUM >= 160000
#define pool_insert_index_tuples(target, slot, estate, indexes) \
	ExecInsertIndexTuples(target, slot, estate, true, false, NULL, NIL, \
						  (indexes) == TU_Summarizing)
#define pool_only_summarizing(indexes) ((indexes) == TU_Summarizing)
#define pool_is_summarizing(info) ((info)->ii_Summarizing)
#else
typedef bool TU_UpdateIndexes;
#define TU_None false
#define pool_insert_index_tuples(target, slot, estate, indexes) \
	ExecInsertIndexTuples(target, slot, estate, true, false, NULL, NIL)
#define pool_only_summarizing(indexes) false
#define pool_is_summarizing(info) false
#endif

/* before the type, as compilers know it in every version */
#define pool_noreturn __attribute__((noreturn))

/*
 * An update that does not wait says so of any row that is locked, and core's
 * own assertions, where they are compiled in, say that nobody ever asks.
 */
#ifdef USE_ASSERT_CHECKING
#define POOL_MAY_TRY_UPDATE false
#else
#define POOL_MAY_TRY_UPDATE true
#endif

#endif							/* POOL_COMPAT_H */
