-- Rows of incident_event_log.csv (Amaral, Fantinato, Peres 2018, CC BY 4.0).
-- line keeps their order: the times have minutes only.
CREATE TABLE demo.incident_event (
    number text, incident_state text, active bool, reassignment_count int,
    reopen_count int, sys_mod_count int, made_sla bool, caller_id text,
    opened_by text, opened_at text, sys_created_by text, sys_created_at text,
    sys_updated_by text, sys_updated_at text, contact_type text, location text,
    category text, subcategory text, u_symptom text, cmdb_ci text, impact text,
    urgency text, priority text, assignment_group text, assigned_to text,
    knowledge bool, u_priority_confirmation bool, notify text, problem_id text,
    rfc text, vendor text, caused_by text, closed_code text, resolved_by text,
    resolved_at text, closed_at text,
    line bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
