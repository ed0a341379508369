-- Every address of every machine, in any order: the reader groups them.
SELECT machine, address, label
  FROM fleetwall.address
