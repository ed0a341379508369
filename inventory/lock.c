/* The lock that keeps a plan true until it is written. */
#include "fleetwall/inventory.h"

struct error *inventory_lock(struct db *db)
{
	return db_run(db, db_sql("inventory-lock"));
}
