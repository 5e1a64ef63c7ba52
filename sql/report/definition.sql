-- Definition of a measure as printed on the methods page.
--
-- grain:   measure
-- inputs:  ref.definition
-- columns: measure VARCHAR      measure
--          label VARCHAR        plain name
--          version VARCHAR      version of the definition
--          numerator VARCHAR    what is counted
--          denominator VARCHAR  of what
--          minimum INTEGER      smallest denominator shown
--          better VARCHAR       higher, lower or neither
--          why VARCHAR          why it is looked at
--          source VARCHAR       where the definition comes from
--          sql_path VARCHAR     file that computes it
--          sql_text VARCHAR     that file
-- version: 1
select
    measure::varchar as measure,
    label::varchar as label,
    version::varchar as version,
    numerator::varchar as numerator,
    denominator::varchar as denominator,
    minimum::integer as minimum,
    better::varchar as better,
    why::varchar as why,
    source::varchar as source,
    sql_path::varchar as sql_path,
    sql_text::varchar as sql_text,
from ref.definition
order by figure_order, measure
