-- Every prefix of every network, in any order: the reader groups them.
SELECT network, prefix
  FROM fleetwall.network_prefix
