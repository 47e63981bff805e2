using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Streaming.Lab.Backtest;

/// <summary>Writes a report as JSON, Markdown or a text table.</summary>
internal static class ReportWriter
{
    /// <summary>Returns the report as JSON, a stable contract for scripts.</summary>
    public static string Json(BacktestReport report)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("protocol", report.Protocol);
            json.WriteNumber("users", report.Users);
            json.WriteNumber("items", report.Items);
            json.WriteNumber("events", report.Events);
            if (report.Targets > 0)
            {
                json.WriteNumber("targets", report.Targets);
                json.WriteNumber("repeatTargets", report.RepeatTargets);
            }

            json.WriteNumber("seconds", Math.Round(report.Seconds, 1));
            json.WriteStartArray("seeds");
            foreach (int seed in report.Seeds)
            {
                json.WriteNumberValue(seed);
            }

            json.WriteEndArray();
            json.WriteStartArray("rows");
            foreach (ReportRow row in report.Rows)
            {
                Write(json, row, report.Cutoffs);
            }

            json.WriteEndArray();
            json.WriteStartArray("curves");
            foreach (StreamCurve curve in report.Curves)
            {
                Write(json, curve);
            }

            json.WriteEndArray();
            CostWriter.Write(json, report.Costs);
            if (report.Retraining is { } retraining)
            {
                RetrainWriter.Write(json, retraining);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(memory.ToArray());
    }

    /// <summary>Returns the report as Markdown tables.</summary>
    public static string Markdown(BacktestReport report) => string.Join(Environment.NewLine, Tables(report).Select(Markdown));

    /// <summary>Returns the report as aligned columns.</summary>
    public static string Text(BacktestReport report) => string.Join(Environment.NewLine, Tables(report).Select(Text));

    private static string Markdown(List<string[]> table)
    {
        var text = new StringBuilder();
        for (int i = 0; i < table.Count; i++)
        {
            text.Append("| ").AppendJoin(" | ", table[i]).AppendLine(" |");
            if (i == 0)
            {
                text.Append('|').Insert(text.Length, "---|", table[0].Length).AppendLine();
            }
        }

        return text.ToString();
    }

    private static string Text(List<string[]> table)
    {
        int[] lengths = [.. Enumerable.Range(0, table[0].Length).Select(column => table.Max(line => line[column].Length))];
        var text = new StringBuilder();
        foreach (string[] line in table)
        {
            IEnumerable<string> padded = line.Select((cell, column) => cell.PadRight(lengths[column]));
            text.AppendLine(string.Join("  ", padded).TrimEnd());
        }

        return text.ToString();
    }

    private static void Write(Utf8JsonWriter json, ReportRow row, IReadOnlyList<int> cutoffs)
    {
        json.WriteStartObject();
        json.WriteString("tower", row.Tower);
        json.WriteString("loss", row.Loss);
        json.WriteNumber("width", row.Width);
        json.WriteBoolean("alone", row.IsSingleWidth);
        json.WriteBoolean("historyMasked", row.HistoryMasked);
        if (row.Segment is not null)
        {
            json.WriteString("segment", row.Segment);
        }

        json.WriteString("settings", row.Settings);
        json.WriteNumber("cases", row.Runs[0].Count);
        Write(json, "recall", cutoffs, row.Recall);
        Write(json, "hitRate", cutoffs, row.HitRate);
        Write(json, "ndcg", cutoffs, row.Ndcg);
        Write(json, "recallSpread", cutoffs, cutoff => row.Spread(run => run.Recall(cutoff)));
        Write(json, "ndcgSpread", cutoffs, cutoff => row.Spread(run => run.Ndcg(cutoff)));
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<int> cutoffs, Func<int, double> value)
    {
        json.WriteStartObject(name);
        foreach (int cutoff in cutoffs)
        {
            json.WriteNumber(cutoff.ToString(CultureInfo.InvariantCulture), Math.Round(value(cutoff), 6));
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, StreamCurve curve)
    {
        json.WriteStartObject();
        json.WriteString("model", curve.Model);
        json.WriteNumber("cutoff", curve.Cutoff);
        json.WriteStartArray("points");
        foreach (StreamCurve.Point point in curve.Points)
        {
            json.WriteStartObject();
            json.WriteNumber("events", point.Events);
            json.WriteNumber("recall", Math.Round(point.Recall, 6));
            json.WriteNumber("bankEntries", point.BankEntries);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static IEnumerable<List<string[]>> Tables(BacktestReport report) =>
        [
            Table(report),
            .. report.Curves.Count > 0 && report.Curves[0].Points.Count > 0 ? [Curves(report)] : Array.Empty<List<string[]>>(),
            .. report.Costs.Count > 0 ? [CostWriter.Table(report.Costs)] : Array.Empty<List<string[]>>(),
            .. report.Retraining is { } retraining ? [RetrainWriter.Table(retraining)] : Array.Empty<List<string[]>>(),
        ];

    /// <summary>One row per window of the stream, one column per model.</summary>
    private static List<string[]> Curves(BacktestReport report) =>
        [
            [$"R@{report.Curves[0].Cutoff} of new items after", .. report.Curves.Select(curve => curve.Model)],
            .. report
                .Curves[0]
                .Points.Select(
                    (point, i) =>
                        (string[])
                            [
                                point.Events.ToString(CultureInfo.InvariantCulture),
                                .. report.Curves.Select(curve => Cell(curve.Points[i].Recall, null)),
                            ]
                ),
        ];

    private static List<string[]> Table(BacktestReport report)
    {
        bool segments = report.Rows.Any(row => row.Segment is not null);
        bool settings = report.Rows.Any(row => row.Settings.Length > 0);
        bool seeds = report.Seeds.Count > 1;
        List<string[]> table =
        [
            [
                "model",
                "loss",
                "width",
                .. segments ? ["examples"] : new[] { "history" },
                .. report.Cutoffs.Select(cutoff => $"R@{cutoff}"),
                .. report.Cutoffs.Select(cutoff => $"N@{cutoff}"),
                .. settings ? ["settings"] : Array.Empty<string>(),
            ],
        ];
        foreach (ReportRow row in report.Rows)
        {
            table.Add([
                row.Tower,
                row.Loss,
                (row.Width == 0 ? "" : row.Width.ToString(CultureInfo.InvariantCulture)) + (row.IsSingleWidth ? " alone" : ""),
                row.Segment ?? (row.HistoryMasked ? "masked" : "ranked"),
                .. report.Cutoffs.Select(cutoff => Cell(row.Recall(cutoff), seeds ? row.Spread(run => run.Recall(cutoff)) : null)),
                .. report.Cutoffs.Select(cutoff => Cell(row.Ndcg(cutoff), seeds ? row.Spread(run => run.Ndcg(cutoff)) : null)),
                .. settings ? [row.Settings] : Array.Empty<string>(),
            ]);
        }

        return table;
    }

    private static string Cell(double value, double? spread) =>
        spread is { } deviation
            ? string.Create(CultureInfo.InvariantCulture, $"{value:F4} ± {deviation:F4}")
            : value.ToString("F4", CultureInfo.InvariantCulture);
}
