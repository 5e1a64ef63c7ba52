-- Rule that is not that of the night before, as printed.
--
-- grain:   kind, name
-- inputs:  measure.rule_change, ref.definition
-- columns: kind VARCHAR  what kind of rule, in words
--          name VARCHAR  what it is called
--          was VARCHAR   the night before; NULL there was none, or it is too long to print
--          now VARCHAR   tonight; NULL there is none, or it is too long to print
-- version: 2
select
    case change.kind
        when 'definition' then 'Definition'
        when 'setting' then 'Setting'
        when 'instrument' then 'Questionnaire'
        when 'expected form' then 'Expected form'
        when 'order of questionnaires' then 'Order of questionnaires'
        when 'constant' then 'Constant of the quarter'
        when 'program' then 'Program'
        else change.kind
    end::varchar as kind,
    coalesce(definition.label, change.name)::varchar as name,
    case when change.kind <> 'instrument' then change.was end::varchar as was,
    case when change.kind <> 'instrument' then change.now end::varchar as now,
from measure.rule_change as change
left join ref.definition as definition
    on change.kind = 'definition' and change.name = 'measure.' || definition.measure
