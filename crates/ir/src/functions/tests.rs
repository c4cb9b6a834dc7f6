use super::*;
use crate::Type::*;

fn scalar(name: &str) -> &'static FunctionDef {
    find(name, FunctionKind::Scalar).unwrap()
}

fn aggregate(name: &str) -> &'static FunctionDef {
    find(name, FunctionKind::Aggregate).unwrap()
}

#[test]
fn tables_are_sorted_and_complete() {
    for kind in FunctionKind::ALL {
        assert!(all(kind).windows(2).all(|w| w[0].name < w[1].name), "{kind:?}");
        for def in all(kind) {
            assert!(std::ptr::eq(find(def.name, kind).unwrap(), def));
            assert!(!def.signatures.is_empty() && def.min_args <= def.max_args, "{}", def.name);
        }
    }
    let sorted = aliases::ALIASES.windows(2).all(|w| (w[0].name, w[0].kind) < (w[1].name, w[1].kind));
    assert!(sorted);
    for alias in aliases::ALIASES {
        assert!(resolve_alias(alias.name, alias.kind).is_some(), "{}", alias.name);
        assert!(find(alias.name, alias.kind).is_none(), "{}", alias.name);
    }
}

#[test]
fn obsolete_names_resolve() {
    for (old, new, kind) in [
        ("makeset", "make_set", FunctionKind::Aggregate),
        ("any", "take_any", FunctionKind::Aggregate),
        ("todynamic", "parse_json", FunctionKind::Scalar),
        ("iif", "iff", FunctionKind::Scalar),
        ("pack_dictionary", "bag_pack", FunctionKind::Scalar),
        ("notempty", "isnotempty", FunctionKind::Scalar),
    ] {
        let found = resolve(old, kind).unwrap();
        assert_eq!((found.def.name, found.alias), (new, true), "{old}");
    }
    let replace = resolve("replace", FunctionKind::Scalar).unwrap();
    assert_eq!((replace.def.name, replace.note), ("replace_regex", Some(Note::ArgumentOrder(&[2, 0, 1]))));
    assert_eq!(resolve("any", FunctionKind::Scalar).map(|r| r.alias), Some(false));
    assert_eq!(resolve("weekofyear", FunctionKind::Scalar).map(|r| r.def.name), Some("weekofyear"));
    assert!(resolve("ToLower", FunctionKind::Scalar).is_none());
}

#[test]
fn types_of_calls() {
    assert_eq!(scalar("strlen").return_type(&[Unknown]), Long);
    assert_eq!(scalar("abs").return_type(&[Int]), Long);
    assert_eq!(scalar("abs").return_type(&[Timespan]), Timespan);
    assert_eq!(scalar("abs").return_type(&[Unknown]), Unknown);
    assert_eq!(scalar("bin").return_type(&[Datetime, Timespan]), Datetime);
    assert_eq!(scalar("bin").return_type(&[Int, Int]), Long);
    assert_eq!(scalar("bin").return_type(&[Long, Real]), Real);
    assert_eq!(scalar("iff").return_type(&[Bool, Int, Real]), Real);
    assert_eq!(scalar("iff").return_type(&[Bool, Dynamic, String]), String);
    assert_eq!(scalar("iff").return_type(&[Bool, String, Long]), Dynamic);
    assert_eq!(scalar("case").return_type(&[Bool, Int, Bool, Real, Long]), Real);
    assert_eq!(scalar("coalesce").return_type(&[Dynamic, String]), Dynamic);
    assert_eq!(scalar("max_of").return_type(&[Long, Decimal, Real]), Decimal);
    assert_eq!(scalar("extract").return_type(&[String, Long, String]), String);
    assert_eq!(scalar("extract").return_type_with(&[String, Long, String, String], Some(Int)), Int);
    assert_eq!(scalar("prev").return_type(&[Guid]), Guid);
    assert_eq!(aggregate("sum").return_type(&[Int]), Long);
    assert_eq!(aggregate("avg").return_type(&[Int]), Real);
    assert_eq!(aggregate("avg").return_type(&[Datetime]), Datetime);
    assert_eq!(aggregate("percentile").return_type(&[Int, Int]), Long);
    assert_eq!(aggregate("arg_max").column_types(&[Datetime, String]), [Datetime, String]);
    assert_eq!(aggregate("percentiles").column_types(&[Long, Int, Real]), [Long, Long]);
    assert_eq!(aggregate("percentilesw").column_types(&[Long, Int, Int, Int]), [Long, Long]);
    assert_eq!(scalar("series_stats").column_types(&[Dynamic])[..2], [Real, Long]);
    assert_eq!(scalar("array_sort_asc").column_types(&[Dynamic, Dynamic, Bool]), [Dynamic, Dynamic]);
}

#[test]
fn argument_counts() {
    assert!(scalar("strcat").takes(64) && !scalar("strcat").takes(65) && !scalar("strcat").takes(0));
    assert!(scalar("bag_pack").takes(100_000));
    assert!(scalar("now").takes(0) && scalar("now").takes(1));
    let pairs = scalar("bag_pack").signatures.first().unwrap();
    assert_eq!(pairs.param(2, 4).unwrap().ty, ParamType::Is(String));
    assert_eq!(pairs.param(3, 4).unwrap().ty, ParamType::Scalar);
    let case = scalar("case").signatures.first().unwrap();
    assert_eq!(case.param(2, 5).unwrap().ty, ParamType::Is(Bool));
    assert_eq!(case.param(4, 5).unwrap().ty, ParamType::CommonOrDynamic);
}

#[test]
fn names_of_columns() {
    use ArgName::{Named, Number, Unnamed};
    let names = |def: &FunctionDef, args: &[ArgName<'_>]| {
        let names: Vec<_> =
            def.default_names(args).into_iter().map(|n| n.unwrap_or_else(|| "-".into())).collect();
        names.join(" ")
    };
    assert_eq!(names(aggregate("count"), &[]), "count_");
    assert_eq!(names(aggregate("max"), &[Named("Size")]), "max_Size");
    assert_eq!(names(aggregate("dcount"), &[Unnamed]), "dcount_");
    assert_eq!(names(aggregate("make_set"), &[Named("Extra_a"), Number("10")]), "set_Extra_a");
    assert_eq!(names(aggregate("make_bag"), &[Named("d")]), "bag_d");
    assert_eq!(names(aggregate("arg_max"), &[Named("Time"), Named("User")]), "Time User");
    assert_eq!(names(aggregate("arg_max"), &[Unnamed, Named("User"), Unnamed]), "max_ User max__arg2");
    assert_eq!(names(aggregate("take_any"), &[Named("User"), Unnamed]), "User any_arg1");
    assert_eq!(names(aggregate("take_anyif"), &[Unnamed, Unnamed]), "-");
    assert_eq!(
        names(aggregate("percentiles"), &[Named("x"), Number("50"), Number("99.5")]),
        "percentile_x_50 percentile_x_99_5"
    );
    assert_eq!(names(aggregate("percentilesw"), &[Named("x"), Named("w"), Number("5")]), "percentile_x_5");
    assert_eq!(names(aggregate("percentiles_array"), &[Named("x"), Number("50")]), "percentiles_x");
    assert_eq!(names(scalar("tolower"), &[Named("x")]), "-");
    assert_eq!(names(scalar("tostring"), &[Named("x")]), "x");
    assert_eq!(names(scalar("strlen"), &[Named("x")]), "strlen_x");
    assert_eq!(names(scalar("make_datetime"), &[Number("2020"), Number("1"), Number("1")]), "-");
    assert_eq!(names(scalar("array_sort_asc"), &[Named("a"), Unnamed]), "a_sorted array1_sorted");
    assert_eq!(names(scalar("ingestion_time"), &[]), "$IngestionTime");
    let anomalies = names(scalar("series_decompose_anomalies"), &[Named("n")]);
    assert!(
        anomalies.starts_with("series_decompose_anomalies_n_ad_flag series_decompose_anomalies_n_ad_score ")
    );
    let any = resolve("any", FunctionKind::Aggregate).unwrap();
    assert_eq!(any.def.default_names_by(any.result_name, &[Named("x")]), [Some("any_x".to_owned())]);
    let argmax = resolve("argmax", FunctionKind::Aggregate).unwrap();
    let args = [Named("t"), Named("x")];
    assert_eq!(
        argmax.def.default_names_by(argmax.result_name, &args),
        [Some("max_t".to_owned()), Some("max_t_x".to_owned())]
    );
}

#[test]
fn arithmetic() {
    use ArithOp::{Add, Div, Mod, Mul, Sub};
    for (op, a, b, result) in [
        (Add, Int, Int, Some(Long)),
        (Div, Long, Int, Some(Long)),
        (Add, Real, Decimal, Some(Decimal)),
        (Sub, Datetime, Datetime, Some(Timespan)),
        (Sub, Datetime, Timespan, Some(Datetime)),
        (Div, Timespan, Timespan, Some(Real)),
        (Mod, Datetime, Timespan, Some(Timespan)),
        (Mul, Int, Timespan, Some(Timespan)),
        (Div, Int, Timespan, None),
        (Add, Dynamic, Int, Some(Long)),
        (Add, String, String, None),
        (Add, Timespan, Unknown, Some(Unknown)),
    ] {
        assert_eq!(binary_result(op, a, b), result, "{a} {} {b}", op.symbol());
    }
    assert_eq!(negate_result(Int), Some(Long));
    assert_eq!(negate_result(Bool), None);
}

#[test]
fn suggestions() {
    assert_eq!(similar("tolowr", FunctionKind::Scalar), Some("tolower"));
    assert_eq!(similar("ToLower", FunctionKind::Scalar), Some("tolower"));
    assert_eq!(similar("my_own_function", FunctionKind::Scalar), None);
    assert_eq!(similar(&"x".repeat(100_000), FunctionKind::Scalar), None);
}
