using System.Globalization;
using Streaming.Core.Positions;
using Streaming.Learning.Checkpoints;
using Streaming.Models.State;

namespace Streaming.Worker.Inspect;

/// <summary>The text output of `streaming inspect`.</summary>
internal static class InspectText
{
    /// <summary>A checkpoint.</summary>
    public static void Write(CheckpointReport report, TextWriter output)
    {
        output.WriteLine(report.FolderPath);
        Line(
            output,
            "state",
            report.Verified ? "verified" : "DAMAGED" + (report.Problem.Length > 0 ? ": " + report.Problem : string.Empty)
        );
        foreach (CheckpointFile file in report.Files)
        {
            Line(output, file.Name, file.Problem.Length > 0 ? file.Problem : $"{Text(file.Bytes)} bytes, checksum verified");
        }

        if (report.Manifest is { } manifest)
        {
            Write(manifest, report, output);
        }

        if (report.Ingest is { } ingest)
        {
            string unknown = ingest.UnknownPartitions > 0 ? $", partition unknown of {Text(ingest.UnknownPartitions)} users" : string.Empty;
            Line(output, "histories", $"{Text(ingest.Users)} users, {Text(ingest.HistoryItems)} items{unknown}");
            Line(output, "dedup window", $"{Text(ingest.EventIds)} event ids");
        }
    }

    /// <summary>A safetensors file.</summary>
    public static void Write(IReadOnlyList<TensorInfo> tensors, IReadOnlyDictionary<string, string> metadata, TextWriter output)
    {
        foreach ((string name, string value) in metadata)
        {
            Line(output, name, value);
        }

        foreach (TensorInfo tensor in tensors)
        {
            Line(output, tensor.Name, $"  {tensor.Type} [{string.Join(", ", tensor.Shape)}]");
        }
    }

    private static void Write(CheckpointManifest manifest, CheckpointReport report, TextWriter output)
    {
        Line(output, "format", Text(manifest.Format));
        Line(output, "written", manifest.Written.ToString("u", CultureInfo.InvariantCulture));
        Line(output, "ranks", Text(manifest.Ranks));
        Line(output, "belongs to", manifest.Owner?.ToString() ?? "not said");
        Line(output, "token, number", $"{Text(manifest.Token)}, {Text(report.Number)}");
        Line(output, "step, batch", $"{Text(manifest.Step)}, {Text(manifest.Sequence)}");
        Line(output, "events trained", Text(manifest.Counters.EventsTrained));
        Line(output, "items", Text(report.Items));
        Line(output, "bank", Text(report.BankEntries));
        foreach (StreamPosition position in manifest.Positions)
        {
            Line(
                output,
                "next offset",
                $"{position.Topic}/{Text(position.Partition)}: "
                    + $"{Text(position.NextOffset)}{(position.TopicId is { } id ? $" (topic id {id})" : string.Empty)}"
            );
        }

        Line(output, "fingerprint", report.Fingerprint);
        foreach ((string name, string value) in manifest.Shape)
        {
            Line(output, name, value);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    // A file can hold anything; control characters must not reach the terminal.
    private static void Line(TextWriter output, string name, string value) =>
        output.WriteLine($"  {Printable(name), -22}{Printable(value)}");

    private static string Printable(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c));
}
