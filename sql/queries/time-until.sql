-- Milliseconds until $1 (seconds since 1970) on the database's clock, rounded up; not below 0.
SELECT greatest(0, ceil(1000 * extract(epoch FROM to_timestamp($1::bigint) - clock_timestamp())))::bigint
