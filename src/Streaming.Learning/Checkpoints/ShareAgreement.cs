using System.Globalization;
using Streaming.Core.Positions;

namespace Streaming.Learning.Checkpoints;

/// <summary>Whether the shares of all ranks make one checkpoint.</summary>
internal static class ShareAgreement
{
    private const string Advice =
        "The checkpoint was discarded; older ones are intact. Restart the job: all ranks continue from the newest checkpoint.";

    /// <summary>Joins the reports of all ranks to the manifest of the checkpoint.</summary>
    /// <param name="reports">The reports, in rank order.</param>
    /// <exception cref="RanksDisagreeException">The ranks are not at the same step, their settings or replicas differ, or two of them read
    /// one partition.</exception>
    public static CheckpointManifest Join(IReadOnlyList<ShareReport> reports)
    {
        string[] differences = [.. reports.Skip(1).Select(report => Difference(reports[0], report)).Where(static text => text.Length > 0)];
        if (differences.Length > 0)
        {
            throw new RanksDisagreeException($"The ranks disagree: {string.Join("; ", differences)}. {Advice}");
        }

        return reports[0].Manifest with
        {
            Format = CheckpointManifest.CurrentFormat,
            Ranks = reports.Count,
            Positions = Positions(reports),
        };
    }

    private static string Difference(ShareReport first, ShareReport other)
    {
        CheckpointManifest a = first.Manifest,
            b = other.Manifest;
        string who = $"rank {Text(other.Rank)}";
        if ((a.Step, a.Sequence) != (b.Step, b.Sequence))
        {
            return $"{who} is at step {Text(b.Step)} and batch {Text(b.Sequence)}, rank 0 at {Text(a.Step)} and {Text(a.Sequence)}";
        }

        if (a.HasIngest != b.HasIngest)
        {
            return $"{who} has {(b.HasIngest ? "an" : "no")} ingestion state, rank 0 has {(a.HasIngest ? "one" : "none")}";
        }

        string? setting = a.Shape.Keys.Concat(b.Shape.Keys).FirstOrDefault(name => ShapeOf(a, name) != ShapeOf(b, name));
        if (setting is not null)
        {
            return $"{who} has {setting} {ShapeOf(b, setting)}, rank 0 has {ShapeOf(a, setting)}";
        }

        if ((a.Token, a.Generation, a.Owner) != (b.Token, b.Generation, b.Owner))
        {
            return $"{who} has fencing token {Text(b.Token)} and generation {Text(b.Generation)} of {b.Owner?.ToString() ?? "no owner"}, "
                + $"rank 0 has {Text(a.Token)} and {Text(a.Generation)} of {a.Owner?.ToString() ?? "no owner"}";
        }

        IReadOnlyList<string> tensors = other.Replica.DifferencesTo(first.Replica);
        return tensors.Count == 0 ? string.Empty
            : tensors.Count == 1 ? $"{who} differs from rank 0 in {tensors[0]}"
            : $"{who} differs from rank 0 in {tensors[0]} and {Text(tensors.Count - 1)} more";
    }

    private static StreamPosition[] Positions(IReadOnlyList<ShareReport> reports)
    {
        var readers = new Dictionary<(string Topic, int Partition), int>();
        foreach (ShareReport report in reports)
        {
            foreach (StreamPosition position in report.Manifest.Positions)
            {
                if (!readers.TryAdd((position.Topic, position.Partition), report.Rank))
                {
                    throw new RanksDisagreeException(
                        $"Ranks {Text(readers[(position.Topic, position.Partition)])} and {Text(report.Rank)} both read "
                            + $"{position.Topic}[{Text(position.Partition)}]. {Advice}"
                    );
                }
            }
        }

        return
        [
            .. reports
                .SelectMany(static report => report.Manifest.Positions)
                .OrderBy(static position => position.Topic, StringComparer.Ordinal)
                .ThenBy(static position => position.Partition),
        ];
    }

    private static string ShapeOf(CheckpointManifest manifest, string name) => manifest.Shape.GetValueOrDefault(name, "not set");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
