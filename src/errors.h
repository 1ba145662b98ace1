/*
 * errors.h
 *	  SQLSTATEs of pool_ext's own.
 */
#ifndef POOL_ERRORS_H
#define POOL_ERRORS_H

#include "utils/elog.h"

#define POOL_ERRCODE_UNKNOWN_POOL		MAKE_SQLSTATE('P','O','0','0','1')
#define POOL_ERRCODE_UNKNOWN_MEMBER		MAKE_SQLSTATE('P','O','0','0','2')
#define POOL_ERRCODE_NOT_MEMBER			MAKE_SQLSTATE('P','O','0','0','3')
#define POOL_ERRCODE_NOT_PERMITTED		MAKE_SQLSTATE('P','O','0','0','4')
#define POOL_ERRCODE_MANAGER_NEEDED		MAKE_SQLSTATE('P','O','0','0','5')
#define POOL_ERRCODE_UNKNOWN_RULE		MAKE_SQLSTATE('P','O','0','0','7')
#define POOL_ERRCODE_REQUEST_REUSED		MAKE_SQLSTATE('P','O','0','1','0')
#define POOL_ERRCODE_LEADS_LOST			MAKE_SQLSTATE('P','O','0','1','1')

#endif							/* POOL_ERRORS_H */
