-- Every assigned membership, in any order: the reader groups them.
SELECT machine, role
  FROM fleetwall.member
