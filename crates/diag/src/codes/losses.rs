use super::codes;

codes! {
    EMPTY_IS_MISSING = "L0101", "absent and empty text are the same in the output",
        why: "Kusto's text columns have no null: an absent field is stored as empty text, so a test for one of the two is a test for both",
        example: "`ParentImage: null` becomes `isempty(ParentImage)`",
        fix: "nothing, if the events have no fields with empty text";
    LOOK_BACK_NOT_SAID = "L0102", "the output does not say how far it looks back",
        why: "the table's time column is not known, so the query reads all events that are given to it",
        example: "`x-lookback: 7d` over a table without a schema",
        fix: "set the period where the rule is scheduled";
}
