#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use super::*;
use crate::{
    Columns, CompareOp, Expr, JoinKey, Missing, Op, Plan, Query, Scan, Source, TICKS_PER_SECOND, TableName,
    Type,
};
use ruleferry_diag::Span;

const S: Span = Span::new(0, 0);
const MINUTE: i64 = 60 * TICKS_PER_SECOND;

fn scan(columns: &mut Columns) -> Plan {
    let ids = [columns.add("User", Type::String, S), columns.add("At", Type::Datetime, S)];
    let table = TableName { qualifiers: Vec::new(), name: "T".into() };
    Plan::new(Op::Scan(Scan { source: Source::Table(table), open: true, time: Some(ids[1]) }), ids, S)
}

fn query(columns: Columns, plan: Plan) -> Query {
    Query { columns, bindings: Vec::new(), plan, assumptions: Vec::new() }
}

fn joined(anchor: Anchor) -> Query {
    let mut columns = Columns::default();
    let (left, right) = (scan(&mut columns), scan(&mut columns));
    let on = vec![JoinKey { left: left.output[0], right: right.output[0] }];
    let (pivot, events) =
        (Pivot { time: left.output[1], plan: left }, Pivot { time: right.output[1], plan: right });
    let window = SlidingJoin { pivot, events, on, length: 5 * MINUTE, anchor };
    let (plan, _) = sliding(&mut columns, window, S);
    query(columns, plan)
}

#[test]
fn what_is_made_is_recognized() {
    for anchor in [Anchor::Starts, Anchor::Ends] {
        let q = joined(anchor);
        let found = as_sliding(&q, &q.plan).unwrap();
        assert_eq!(found.anchor(), Some((anchor, 5 * MINUTE)));
        assert!(found.is_closed() && found.rest.is_empty() && found.also.is_empty());
        assert_eq!(q.columns.name(found.pivot_time), "At");
        assert_eq!(q.columns.name(found.event_time), "At1");
        assert_eq!(q.columns.name(found.join.right_output[0].to), "User1");
    }
    let mut columns = Columns::default();
    let input = scan(&mut columns);
    let time = input.output[1];
    let key = tumbling(&mut columns, time, MINUTE, "start", S).unwrap();
    let (plan, start) =
        hop(&mut columns, input.clone(), time, (10 * MINUTE, 3 * MINUTE), "start", S).unwrap();
    let q = query(columns, plan);
    assert_eq!(as_tumbling(&q, &input, &key.expr), Some(Tumbling { time, length: MINUTE }));
    let found = as_hop(&q, &q.plan).unwrap();
    assert_eq!((found.time, found.start), (time, start));
    assert_eq!((found.length, found.step), (10 * MINUTE, 3 * MINUTE));
    assert!(tumbling(&mut Columns::default(), time, 0, "start", S).is_none());
}

#[test]
fn a_difference_of_times_is_one_however_it_is_written() {
    let q = joined(Anchor::Ends);
    let Op::Filter { input, .. } = &*q.plan.op else { panic!() };
    let column = |name: &str| {
        let id = *input.output.iter().find(|id| q.columns.name(**id) == name).unwrap();
        Expr::column(id, Type::Datetime, S)
    };
    let (p, e) = (|| column("At"), || column("At1"));
    let minutes = |n: i64| Expr::literal(crate::Value::Timespan(n * MINUTE), S);
    let sub = |a, b| Expr::arithmetic(crate::ArithmeticOp::Sub, a, b, Type::Datetime, S);
    let add = |a, b| Expr::arithmetic(crate::ArithmeticOp::Add, a, b, Type::Datetime, S);
    let is = |op, a, b| Expr::compare(op, a, b, Missing::Null, S);
    let of = |conjuncts: &[Expr]| {
        let (found, rest) = differences(&q, input, conjuncts);
        assert!(rest.is_empty());
        let [d] = found.as_slice() else { panic!("{found:?}") };
        if d.left == e().as_column().unwrap() { *d } else { d.flipped() }
    };
    let bound = |minutes: i64, inclusive| Some(Bound { ticks: minutes * MINUTE, inclusive });
    // Five minutes at most, and the event is the later one.
    for conjuncts in [
        [is(CompareOp::Le, sub(e(), p()), minutes(5)), is(CompareOp::Ge, e(), p())],
        [is(CompareOp::Ge, minutes(5), sub(e(), p())), is(CompareOp::Le, sub(p(), e()), minutes(0))],
        [is(CompareOp::Le, e(), add(p(), minutes(5))), is(CompareOp::Le, p(), e())],
        [is(CompareOp::Ge, p(), sub(e(), minutes(5))), is(CompareOp::Ge, e(), p())],
    ] {
        let d = of(&conjuncts);
        assert_eq!((d.low, d.high), (bound(0, true), bound(5, true)));
    }
    let d = of(&[is(CompareOp::Lt, e(), p()), is(CompareOp::Gt, sub(e(), p()), minutes(-5))]);
    assert_eq!((d.low, d.high), (bound(-5, false), bound(0, false)));
    // The tighter of two bounds counts.
    let d = of(&[is(CompareOp::Le, sub(e(), p()), minutes(5)), is(CompareOp::Lt, sub(e(), p()), minutes(5))]);
    assert_eq!((d.low, d.high), (None, bound(5, false)));
    // Twice the same column, or a sum, is no difference.
    let twice = [is(CompareOp::Le, sub(e(), e()), minutes(5))];
    let (found, rest) = differences(&q, input, &twice);
    assert!(found.is_empty() && rest.len() == 1);
}
