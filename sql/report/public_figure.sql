-- Figure of the newest closed window as the public page prints it.
--
-- grain:   measure, instrument_id?
-- inputs:  report.public_window
-- columns: measure VARCHAR         measure
--          instrument_id VARCHAR   instrument; NULL where the measure is not per one
--          period_label VARCHAR    window in words
--          section VARCHAR         heading it stands under
--          figure_order INTEGER    order on the page
--          label VARCHAR           what the figure is, in plain words
--          value_text VARCHAR      share as printed; NULL withheld
--          n_text VARCHAR          of how many, as printed; NULL withheld
--          note VARCHAR            why it is withheld; NULL shown
-- version: 1
select
    measure::varchar as measure,
    instrument_id::varchar as instrument_id,
    period_label::varchar as period_label,
    section::varchar as section,
    figure_order::integer as figure_order,
    label::varchar as label,
    (percent::varchar || ' %')::varchar as value_text,
    ('of about ' || n::varchar)::varchar as n_text,
    note::varchar as note,
from report.public_window
qualify period_end = max(period_end) over ()
