/* libpq, as the files of this folder call it: pq.exec() is PQexec(). It is loaded when it is first needed, as it brings
 * twenty libraries with it (Kerberos, LDAP, TLS), whose loading takes longer than that of all the rest of the program:
 * commands without a database do without, and a run looks at its files meanwhile. */
#ifndef DB_LIBPQ_H
#define DB_LIBPQ_H

#include <libpq-fe.h>

#include "fleetwall/error.h"

#define LIBPQ_FUNCTIONS(each) \
	each(cancel) each(clear) each(cmdStatus) each(connectdbParams) each(conninfoFree) each(conninfoParse) \
	each(consumeInput) each(db) each(errorMessage) each(escapeIdentifier) each(escapeLiteral) each(exec) \
	each(execParams) each(finish) each(fname) each(freeCancel) each(freemem) each(getCancel) each(getCopyData) \
	each(getResult) each(getisnull) each(getlength) each(getvalue) each(nfields) each(notifies) each(ntuples) \
	each(putCopyData) each(putCopyEnd) each(resultErrorField) each(resultStatus) each(serverVersion) \
	each(setNoticeReceiver) each(socket) each(status) each(transactionStatus) each(user)

#define LIBPQ_MEMBER(name) __typeof__(PQ##name) *name;

struct libpq {
	LIBPQ_FUNCTIONS(LIBPQ_MEMBER)
};
extern struct libpq pq;

/* Before the first call of anything. ERROR_SURROUNDINGS where it is not installed. The first time not in two threads
 * at once. */
struct error *libpq_load(void) MUST_CHECK;

#endif
