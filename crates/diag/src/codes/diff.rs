//! What a comparison of two rules finds.
use super::codes;

codes! {
    DIFF_NARROWER = "E0901", "the second rule misses what the first one finds",
        why: "an event that made an alert makes none any more: a blind spot",
        example: "a value was taken out of a list",
        fix: "look at the event that shows it; put the condition back, or accept the loss";
    DIFF_WIDER = "E0902", "the second rule finds more than the first one",
        why: "an event that made no alert makes one now: noise, or what was meant",
        example: "an exclusion was dropped",
        fix: "look at the event that shows it";
    DIFF_DIVERGENT = "E0903", "each of the two rules finds what the other misses",
        why: "a change that both loses alerts and makes new ones",
        example: "a literal was replaced by another one",
        fix: "look at the two events that show it";
    DIFF_UNKNOWN = "E0904", "the relation of the two rules is not known",
        why: "nothing was proved and no event shows a difference; the reason is told",
        example: "a function whose meaning is not known here",
        fix: "write what the reason names otherwise, or pass it with --allow-unknown";
    DIFF_NO_PARTNER = "E0905", "a rule has no partner on the other side",
        why: "rules are paired by the file that they were converted from, their id, their path and their title",
        example: "a rule was deleted, or its id was changed together with its file",
        fix: "give both the same id";
    ENGINES_DISAGREE = "E0906", "the SQL engine answers otherwise than the evaluator",
        why: "the evaluator is the definition of what a rule means; where SQL that it holds for the same answers otherwise when it runs, one of the two is at fault, and it is ours",
        example: "a template that rounds where the function cuts",
        fix: "do not rely on this output; report it with the rule and the tables that are shown";
}
