-- Whose an object is: several documents may each say a part of the inventory, and none removes what another says.

ALTER TABLE fleetwall.machine ADD COLUMN document fleetwall.name;
ALTER TABLE fleetwall.role ADD COLUMN document fleetwall.name, ADD CONSTRAINT role_document CHECK (machine IS NULL OR document IS NULL);
ALTER TABLE fleetwall.network ADD COLUMN document fleetwall.name;
ALTER TABLE fleetwall.service ADD COLUMN document fleetwall.name, ADD CONSTRAINT service_document CHECK (NOT builtin OR document IS NULL);
CREATE TRIGGER service_owned BEFORE UPDATE ON fleetwall.service
    FOR EACH ROW WHEN (NEW.builtin AND NEW.document IS NOT NULL) EXECUTE FUNCTION fleetwall.service_own();
COMMENT ON FUNCTION fleetwall.service_own IS 'A new service, one that is given another name, and one that a document owns, did not come with the schema';
COMMENT ON COLUMN fleetwall.machine.document IS 'The owner of the document that owns it, its addresses, memberships and own rules; null: no document does';
COMMENT ON COLUMN fleetwall.role.document IS 'The owner of the document that owns it and its rules; null: no document does. Of a role machine:NAME its machine says it';
COMMENT ON COLUMN fleetwall.network.document IS 'The owner of the document that owns it and its prefixes; null: no document does';
COMMENT ON COLUMN fleetwall.service.document IS 'The owner of the document that owns it and its ports; null: no document does, as for one that came with the schema';
