"""Tabular operators: a node of Microsoft's tree and a scope to a `Table`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sexpr import child, elements, kind, nodes, plain_name, tokens  # noqa: E402

from . import aggregates  # noqa: E402
from .scalar import (  # noqa: E402
    TYPES, Env, Scope, arguments, compile_expr, constant, default_name, function_body, leaves_of,
)
from .values import Ambiguous, Unsupported, cast, empty_of, less, text_of, to_dynamic  # noqa: E402


class Table:
    """Columns as (name, type), rows as tuples; `order` is set while the rows stand in a known order."""

    def __init__(self, columns, rows, order=None):
        self.columns, self.rows, self.order = list(columns), list(rows), order

    def names(self):
        return [n for n, _ in self.columns]

    def env(self, scope):
        return Env(self.columns, scope)


class World:
    """What a query runs in: the time, and the tables."""

    def __init__(self, now, tables, inputs=None, let_names=None):
        self.now, self.tables = now, tables
        self.inputs, self.let_names = inputs or {}, let_names or {}

    def external(self, node, columns):
        """The table that stands for an `externaldata`: by the `let` that it is in, or by its columns."""
        named = [n for (kind_, n), c in self.inputs.items() if kind_ == "external-data" and set(c) == set(columns)]
        if self.let_names.get(id(node)) in named:
            named = [self.let_names[id(node)]]
        if len(named) != 1:
            raise Unsupported("externaldata that cannot be told apart")
        return self.tables[named[0]]


TABULAR_FUNCTIONS = {"table", "materialize", "view", "_GetWatchlist"}


def is_table(node, env):
    """Whether an expression stands for a table, seen from where it stands."""
    k = kind(node)
    if k == "ParenthesizedExpression":
        return is_table(nodes(node)[0], env)
    if k in ("PipeExpression", "DataTableExpression", "UnionOperator", "PrintOperator", "RangeOperator", "ExternalDataExpression"):
        return True
    if k == "MaterializeExpression":
        return is_table(nodes(node)[-1], env)
    if k == "NameReference":
        name = plain_name(node)
        if name in env.index:
            return False
        bound = env.scope.find(name)
        if bound is not None:
            return bound[0] == "table" or bound[0] == "function" and not bound[1] and _tabular_body(bound)
        return name in env.scope.world.tables
    if k == "FunctionCallExpression":
        name = plain_name(nodes(node)[0])
        bound = env.scope.find(name)
        if bound and bound[0] == "function":
            return _tabular_body(bound)
        return name in TABULAR_FUNCTIONS
    return False


def _tabular_body(function):
    _, parameters, body, scope = function
    inner = Scope(scope.world, scope)
    for name, ty, _ in parameters:
        inner.names[name] = ("table", None) if ty == "table" else ("scalar", ty, None)
    statements, result = function_body(body)
    for statement in statements:
        if kind(statement) == "LetStatement":
            name, value = nodes(statement)[0], nodes(statement)[-1]
            tabular = is_table(value, Env([], inner))
            inner.names[plain_name(name)] = ("table", None) if tabular else ("scalar", "dynamic", None)
    return is_table(result, Env([], inner))


def evaluate(node, scope):
    """A tabular expression to its table."""
    k = kind(node)
    if k == "PipeExpression":
        source, operator = nodes(node)
        return apply(operator, evaluate(source, scope), scope)
    if k == "ParenthesizedExpression":
        return evaluate(nodes(node)[0], scope)
    if k == "NameReference":
        return _named(node, scope)
    if k == "FunctionCallExpression":
        return _call(node, scope)
    if k == "MaterializeExpression":
        return evaluate(nodes(node)[-1], scope)
    if k == "DataTableExpression":
        return _datatable(node, scope)
    if k == "UnionOperator":
        return union(node, None, scope)
    if k == "PrintOperator":
        return _print(node, scope)
    if k == "RangeOperator":
        return _range(node, scope)
    if k == "ExternalDataExpression":
        return scope.world.external(node, [n for n, _ in _schema(child(node, "RowSchema"))])
    raise Unsupported(f"table {k}")


def _named(node, scope):
    name = plain_name(node)
    if name is None:
        raise Unsupported("a wildcard of tables")
    bound = scope.find(name)
    if bound and bound[0] == "table":
        return bound[1]()
    if bound and bound[0] == "function":
        return _invoke(bound, [], scope)
    if bound:
        raise Unsupported("a scalar as a table")
    if name not in scope.world.tables:
        raise Unsupported(f"table {name}")
    table = scope.world.tables[name]
    return Table(table.columns, table.rows)


def _call(node, scope):
    name = plain_name(nodes(node)[0])
    bound = scope.find(name)
    if bound and bound[0] == "function":
        return _invoke(bound, arguments(node), scope)
    if name == "table" and len(arguments(node)) == 1:
        ty, value = constant(arguments(node)[0], scope)
        if value in scope.world.tables:
            table = scope.world.tables[value]
            return Table(table.columns, table.rows)
    if name == "_GetWatchlist":
        ty, value = constant(arguments(node)[0], scope)
        if ("watchlist", value) in scope.world.inputs:
            table = scope.world.tables[value]
            return Table(table.columns, table.rows)
    if name == "materialize":
        return evaluate(arguments(node)[0], scope)
    raise Unsupported(f"table function {name}")


def _invoke(function, given, scope, piped=None):
    _, parameters, body, defined = function
    inner = Scope(defined.world, defined)
    given = list(given)
    for name, ty, default in parameters:
        if piped is not None:
            inner.names[name], piped = ("table", lambda t=piped: t), None
        elif given:
            argument = given.pop(0)
            if ty == "table":
                inner.names[name] = ("table", lambda a=argument: evaluate(a, scope))
            else:
                source, value = constant(argument, scope)
                inner.names[name] = ("scalar", ty, value if source == ty else cast(value, source, ty))
        elif default is not None:
            inner.names[name] = ("scalar", ty, constant(default, defined)[1])
        else:
            raise Unsupported("a missing argument")
    statements, result = function_body(body)
    for statement in statements:
        let(statement, inner)
    return evaluate(result, inner)


def let(statement, scope):
    """Binds a name."""
    if kind(statement) != "LetStatement":
        raise Unsupported(f"statement {kind(statement)}")
    name, value = plain_name(nodes(statement)[0]), nodes(statement)[-1]
    if kind(value) == "FunctionDeclaration":
        scope.names[name] = ("function", _parameters(value), child(value, "FunctionBody"), scope_copy(scope))
    elif is_table(value, Env([], scope)):
        seen, made = scope_copy(scope), []

        def table():
            if not made:
                made.append(evaluate(value, seen))
            return Table(made[0].columns, made[0].rows, made[0].order)

        scope.names[name] = ("table", table)
    else:
        seen, made = scope_copy(scope), []

        def scalar():
            if not made:
                made.append(constant(value, seen))
            return made[0]

        # Evaluated when used: a query may bind what it does not need.
        scope.names[name] = ("lazy", scalar)


def scope_copy(scope):
    """The scope as it is now: a later `let` of the same name does not change what stands before."""
    copy = Scope(scope.world, scope.parent)
    copy.names = dict(scope.names)
    return copy


def _parameters(declaration):
    out = []
    for p in elements(child(child(declaration, "FunctionParameters"), "List")):
        declared = child(p, "NameAndTypeDeclaration")
        name, ty = nodes(declared)
        default = child(p, "DefaultValueDeclaration")
        plain = "table" if kind(ty) == "SchemaTypeExpression" else TYPES[leaves_of(ty)[0]]
        out.append((plain_name(name), plain, nodes(default)[0] if default else None))
    return out


def _schema(node):
    out = []
    for declared in elements(child(node, "List")):
        name, ty = nodes(declared)
        out.append((plain_name(name), TYPES[leaves_of(ty)[0]]))
    return out


def _datatable(node, scope):
    columns = _schema(child(node, "RowSchema"))
    cells = [constant(e, scope) for e in elements(nodes(node)[-1])]
    values = []
    for n, (source, value) in enumerate(cells):
        ty = columns[n % len(columns)][1]
        values.append(value if source == ty else cast(value, source, ty))
    return Table(columns, [tuple(values[n : n + len(columns)]) for n in range(0, len(values), len(columns))])


def _print(node, scope):
    columns, row = [], []
    for n, e in enumerate(elements(child(node, "List"))):
        named = kind(e) == "SimpleNamedExpression"
        ty, value = constant(nodes(e)[-1] if named else e, scope)
        columns.append((plain_name(nodes(e)[0]) if named else f"print_{n}", ty))
        row.append(value)
    return Table(columns, [tuple(row)])


def _range(node, scope):
    name = plain_name(nodes(node)[0])
    (ty, start), (_, end), (_, step) = (constant(n, scope) for n in nodes(node)[1:4])
    rows = []
    while start <= end and len(rows) < 10_000:
        rows.append((start,))
        start += step
    return Table([(name, ty)], rows)


def apply(operator, table, scope):
    do = OPERATORS.get(kind(operator))
    if do is None:
        raise Unsupported(f"operator {kind(operator)}")
    return do(operator, table, scope)


def parameter(operator, name):
    """The text of `name=value` after an operator's keyword."""
    for p in nodes(child(operator, "List") or ["List"]):
        if kind(p) == "NamedParameter" and plain_name(nodes(p)[0]) == name:
            return "".join(leaves_of(nodes(p)[-1]))
    return None


def _parameters_of(operator):
    return {plain_name(nodes(p)[0]) for p in nodes(child(operator, "List") or ["List"]) if kind(p) == "NamedParameter"}


def where(operator, table, scope):
    _, test = compile_expr(nodes(operator)[-1], table.env(scope))
    return Table(table.columns, [r for r in table.rows if test(r) is True], table.order)


class Names:
    """Gives each output column its name: the first free `ColumnN` where an expression has none, a number where one is taken."""

    def __init__(self, taken=()):
        self.taken = set(taken)
        self.columns = 0

    def free(self, wanted):
        if wanted is None:
            while True:
                self.columns += 1
                if f"Column{self.columns}" not in self.taken:
                    wanted = f"Column{self.columns}"
                    break
        name, n = wanted, 0
        while name in self.taken:
            n += 1
            name = f"{wanted}{n}"
        self.taken.add(name)
        return name


def expressions(listing, table, scope):
    """(wanted name, type, function, given) of each expression of a list; `given` says that the query names it."""
    env = table.env(scope)
    out = []
    for e in elements(listing):
        if kind(e) == "CompoundNamedExpression":
            raise Unsupported("several names of one expression")
        if kind(e) == "SimpleNamedExpression":
            ty, do = compile_expr(nodes(e)[-1], env)
            out.append((plain_name(nodes(e)[0]), ty, do, True))
        else:
            ty, do = compile_expr(e, env)
            out.append((default_name(e), ty, do, False))
    return out


def extend(operator, table, scope):
    listing = child(operator, "List")
    columns, functions = list(table.columns), []
    positions = {n: i for i, (n, _) in enumerate(columns)}
    names = Names(positions)
    for name, ty, do, given in expressions(listing, table, scope):
        if name in positions:
            # Also without a name given: `extend bin(T, 1h)` replaces T.
            columns[positions[name]] = (name, ty)
            functions.append((positions[name], do))
        else:
            name = names.free(name)
            positions[name] = len(columns)
            columns.append((name, ty))
            functions.append((positions[name], do))
    rows = []
    for row in table.rows:
        out = list(row) + [None] * (len(columns) - len(row))
        for at, do in functions:
            out[at] = do(row)
        rows.append(tuple(out))
    return Table(columns, rows, table.order)


def project(operator, table, scope):
    names = Names()
    made = expressions(child(operator, "List"), table, scope)
    columns = [(names.free(name), ty) for name, ty, _, _ in made]
    return Table(columns, [tuple(do(r) for _, _, do, _ in made) for r in table.rows], table.order)


def _patterns(listing):
    return ["".join(leaves_of(e)) if plain_name(e) is None else plain_name(e) for e in elements(listing)]


def _matches(name, pattern):
    if "*" not in pattern:
        return name == pattern
    import fnmatch

    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def keep_columns(table, names):
    at = {n: i for i, n in enumerate(table.names())}
    columns = [table.columns[at[n]] for n in names]
    return Table(columns, [tuple(r[at[n]] for n in names) for r in table.rows], table.order)


def project_away(operator, table, scope):
    patterns = _patterns(child(operator, "List"))
    return keep_columns(table, [n for n in table.names() if not any(_matches(n, p) for p in patterns)])


def project_keep(operator, table, scope):
    patterns = _patterns(child(operator, "List"))
    return keep_columns(table, [n for n in table.names() if any(_matches(n, p) for p in patterns)])


def project_rename(operator, table, scope):
    renames = {}
    for e in elements(child(operator, "List")):
        if kind(e) != "SimpleNamedExpression":
            raise Unsupported("rename of this form")
        renames[plain_name(nodes(e)[-1])] = plain_name(nodes(e)[0])
    if set(renames) - set(table.names()):
        raise Unsupported("rename of an unknown column")
    return Table([(renames.get(n, n), t) for n, t in table.columns], table.rows, table.order)


def unchanged(operator, table, scope):
    return table


def _key(row, at):
    return repr(tuple(row[i] for i in at))


def distinct(operator, table, scope):
    listing = nodes(operator)[-1]
    if any(kind(e) == "StarExpression" for e in elements(listing)):
        chosen = table
    else:
        names = Names()
        made = expressions(listing, table, scope)
        chosen = Table([(names.free(n), t) for n, t, _, _ in made], [tuple(do(r) for _, _, do, _ in made) for r in table.rows])
    seen = {repr(r): r for r in chosen.rows}
    return Table(chosen.columns, seen.values())


def take(operator, table, scope):
    count = constant(nodes(operator)[-1], scope)[1]
    if count >= len(table.rows):
        return Table(table.columns, table.rows, table.order)
    return _cut(table, count)


def _cut(table, count):
    if table.order is None:
        raise Ambiguous("take of some rows in no order")
    kept, first_out = table.rows[:count], table.rows[count]
    if count and table.order(kept[-1]) == table.order(first_out) and kept[-1] != first_out:
        raise Ambiguous("take cuts a tie")
    return Table(table.columns, kept, table.order)


class _Reversed:
    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return other.value < self.value

    def __eq__(self, other):
        return self.value == other.value


def _sort_key(items, table, scope):
    """A function of a row that orders as the clauses say: nulls are the smallest."""
    env, parts = table.env(scope), []
    for item in items:
        ordered = kind(item) == "OrderedExpression"
        ty, do = compile_expr(nodes(item)[0] if ordered else item, env)
        words = leaves_of(child(item, "OrderingClause")) if ordered and child(item, "OrderingClause") else []
        descending = "asc" not in words
        nulls_first = "first" in words if "nulls" in words else not descending
        parts.append((ty, do, descending, nulls_first))

    def key(row):
        out = []
        for ty, do, descending, nulls_first in parts:
            value = do(row)
            if ty == "dynamic" and value is not None:
                value = (isinstance(value, str), value if not isinstance(value, (dict, list)) else repr(value))
            missing = value is None
            out.append(not missing if nulls_first else missing)
            out.append(0 if missing else (_Reversed(value) if descending else value))
        return tuple(out)

    return key


def sort(operator, table, scope):
    key = _sort_key(elements(nodes(operator)[-1]), table, scope)
    try:
        return Table(table.columns, sorted(table.rows, key=key), key)
    except TypeError as e:
        raise Unsupported("sort of mixed dynamic values") from e


def top(operator, table, scope):
    parts = [n for n in nodes(operator) if kind(n) != "List"]
    count = constant(parts[0], scope)[1]
    key = _sort_key([parts[1]], table, scope)
    ordered = Table(table.columns, sorted(table.rows, key=key), key)
    return ordered if count >= len(ordered.rows) else _cut(ordered, count)


def count(operator, table, scope):
    return Table([("Count", "long")], [(len(table.rows),)])


def as_name(operator, table, scope):
    scope.names[plain_name(nodes(operator)[-1])] = ("table", lambda: Table(table.columns, table.rows))
    return table


def summarize(operator, table, scope):
    listing = nodes(operator)[1]
    clause = child(operator, "SummarizeByClause")
    env = table.env(scope)
    keys = expressions(child(clause, "List"), table, scope) if clause else []
    names = Names()
    key_columns = [(names.free(n), t) for n, t, _, _ in keys]
    groups = {}
    for row in table.rows:
        key = tuple(do(row) for _, _, do, _ in keys)
        groups.setdefault(repr(key), (key, []))[1].append(row)
    if not clause:
        groups = {"": ((), table.rows)}
    by_names = {n for n, _ in key_columns}
    made = [m for e in elements(listing) for m in _aggregate(e, table, env, by_names)]
    columns = list(key_columns)
    for name, ty, _ in made:
        columns.append((names.free(name), ty))
    if not clause and not table.rows and any(label != "count" for _, _, do in made for label in [getattr(do, "label", "")]):
        raise Ambiguous("aggregates of no rows")
    rows = [key + tuple(do(rows) for _, _, do in made) for key, rows in groups.values()]
    if not made:
        return Table(columns, rows)
    return Table(columns, rows)


def _labelled(do, label):
    run = lambda rows: do(rows)  # noqa: E731
    run.label = label
    return run


def _aggregate(e, table, env, by_names):
    """The output columns of one expression of `summarize`: (name, type, function of the group's rows)."""
    given = None
    if kind(e) == "SimpleNamedExpression":
        given, e = plain_name(nodes(e)[0]), nodes(e)[-1]
    if kind(e) == "CompoundNamedExpression":
        raise Unsupported("several names of one aggregate")
    while kind(e) == "ParenthesizedExpression":
        e = nodes(e)[0]
    if kind(e) == "FunctionCallExpression":
        name = plain_name(nodes(e)[0])
        if name in ("arg_max", "arg_min", "argmax", "argmin"):
            return _picked(name, arguments(e), given, table, env, by_names)
        if name in ("any", "take_any") and (len(arguments(e)) > 1 or kind(arguments(e)[0]) == "StarExpression"):
            return _any_of(name, arguments(e), table, env, by_names)
        if name in aggregates.NAMES:
            ty, do = aggregates.build(name, arguments(e), env)
            return [(given or default_name(e) if name not in ("take_any",) else given or default_name(arguments(e)[0]), ty, _labelled(do, "count" if name in aggregates.COUNTS else name))]
    ty, do = _over_aggregates(e, env)
    return [(given or default_name(e), ty, _labelled(do, "expression"))]


def _over_aggregates(e, env):
    """An expression of aggregates, such as `tostring(any(x))` or `count() * 2`."""
    inner = []

    def replace(node):
        if isinstance(node, list):
            if kind(node) == "FunctionCallExpression" and plain_name(nodes(node)[0]) in aggregates.NAMES - {"min_of"}:
                name = plain_name(nodes(node)[0])
                if name in ("arg_max", "arg_min"):
                    raise Unsupported("arg_max in an expression")
                inner.append(aggregates.build(name, arguments(node), env))
                return ["NameReference", ["TokenName", f"$aggregate{len(inner)}"]]
            return [node[0], *map(replace, node[1:])]
        return node

    outer = replace(e)
    if not inner:
        raise Unsupported("an aggregate that is none")
    columns = [(f"$aggregate{n}", ty) for n, (ty, _) in enumerate(inner, 1)]
    ty, do = compile_expr(outer, Env(columns, env.scope))
    return ty, lambda rows: do(tuple(f(rows) for _, f in inner))


def _picked(name, given, label, table, env, by_names):
    by = compile_expr(given[0], env)
    kept = {}

    def choose(rows):
        # Each column asks for the same row of the same group.
        key = id(rows)
        if key not in kept:
            kept[key] = (rows, aggregates.pick(name, by, env, rows))
        return kept[key][1]

    ty, do = by
    out = [(label or default_name(given[0]) or ("max_" if "max" in name else "min_"), ty, lambda rows: do(choose(rows)))]
    first = default_name(given[0]) if kind(given[0]) == "NameReference" else None
    for item in given[1:]:
        if kind(item) == "StarExpression":
            for n, (column, column_type) in enumerate(table.columns):
                if column not in by_names and column != first:
                    out.append((column, column_type, lambda rows, n=n: choose(rows)[n]))
        else:
            item_type, value = compile_expr(item, env)
            out.append((default_name(item), item_type, lambda rows, value=value: value(choose(rows))))
    return [(n, t, _labelled(f, name)) for n, t, f in out]


def _any_of(name, given, table, env, by_names):
    out = []
    for item in given:
        if kind(item) == "StarExpression":
            for n, (column, ty) in enumerate(table.columns):
                if column not in by_names:
                    out.append((column, ty, lambda rows, n=n, ty=ty: _first_of_one(rows)[n]))
        else:
            ty, do = compile_expr(item, env)
            label = default_name(item) if name == "take_any" else f"any_{default_name(item) or ''}"
            out.append((label, ty, lambda rows, do=do: do(_first_of_one(rows))))
    return [(n, t, _labelled(f, name)) for n, t, f in out]


def _first_of_one(rows):
    if len({repr(r) for r in rows}) > 1:
        raise Ambiguous("any of differing rows")
    if not rows:
        raise Ambiguous("any of no rows")
    return rows[0]


def union(operator, table, scope):
    how = parameter(operator, "kind") or "outer"
    source_column = parameter(operator, "withsource") or parameter(operator, "with_source")
    if source_column:
        raise Unsupported("union with the source's name")
    listing = nodes(operator)[-1]
    tables = [table] if table is not None else []
    for e in elements(listing):
        tables.append(evaluate(e, scope))
    columns = []
    for t in tables:
        for name, ty in t.columns:
            known = next((x for n, x in columns if n == name), None)
            if known is None:
                columns.append((name, ty))
            elif known != ty:
                raise Unsupported(f"union of {known} and {ty} in one column")
    if how == "inner":
        columns = [c for c in columns if all(c[0] in t.names() for t in tables)]
    rows = []
    for t in tables:
        at = {n: i for i, n in enumerate(t.names())}
        rows += [tuple(r[at[n]] if n in at else empty_of(ty) for n, ty in columns) for r in t.rows]
    return Table(columns, rows)


from . import relations  # noqa: E402

OPERATORS = {
    "FilterOperator": where,
    "ExtendOperator": extend,
    "ProjectOperator": project,
    "ProjectAwayOperator": project_away,
    "ProjectKeepOperator": project_keep,
    "ProjectRenameOperator": project_rename,
    "ProjectReorderOperator": unchanged,
    "RenderOperator": unchanged,
    "SerializeOperator": lambda o, t, s: t if not elements(nodes(o)[-1]) else extend(o, t, s),
    "DistinctOperator": distinct,
    "TakeOperator": take,
    "SortOperator": sort,
    "TopOperator": top,
    "CountOperator": count,
    "AsOperator": as_name,
    "SummarizeOperator": summarize,
    "UnionOperator": union,
    **relations.OPERATORS,
}
