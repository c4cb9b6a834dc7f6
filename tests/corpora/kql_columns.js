// The output columns of queries as Microsoft's binder (@kusto/language-service-next) has them.
//   node kql_columns.js ORACLE_FOLDER SCHEMA.json < queries.jsonl
// SCHEMA is {"Table": {"Column": "type", "_open": true}}. In: JSONL {id, query}. Out: JSONL {id, columns, open, errors}.
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const [folder, schemaFile] = process.argv.slice(2);
const modules = path.resolve(folder, 'node_modules/@kusto/language-service-next');
require(path.join(modules, 'bridge.js'));
require(path.join(modules, 'Kusto.Language.Bridge.js'));
const K = globalThis.Kusto.Language;
const Arr = globalThis.System.Array;

const list = (x) => {
  if (x == null || Array.isArray(x)) return x || [];
  return Array.from({ length: Arr.getCount(x) }, (_, i) => Arr.getItem(x, i, globalThis.System.Object));
};
const table = ([name, columns]) => {
  const declared = Object.entries(columns).filter(([, type]) => type !== true);
  const text = declared.map(([column, type]) => `['${column}']: ${type}`).join(', ');
  const symbol = K.Symbols.TableSymbol.From(`(${text})`).WithName(name);
  return columns._open === true ? symbol.WithIsOpen(true) : symbol;
};
const schema = JSON.parse(fs.readFileSync(schemaFile, 'utf8'));
const database = new K.Symbols.DatabaseSymbol.$ctor1('db', Object.entries(schema).map(table));
const globals = K.GlobalState.Default.WithDatabase(database);

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  if (!line.trim()) return;
  const { id, query } = JSON.parse(line);
  const code = K.KustoCode.ParseAndAnalyze(query, globals);
  const type = code.ResultType;
  const columns = type && type.Columns ? list(type.Columns).map((c) => [c.Name, c.Type.Name]) : null;
  const errors = list(code.GetDiagnostics()).filter((d) => d.Severity === 'Error').map((d) => d.Message);
  fs.writeSync(1, JSON.stringify({ id, columns, open: !!(type && type.IsOpen), errors }) + '\n');
});
