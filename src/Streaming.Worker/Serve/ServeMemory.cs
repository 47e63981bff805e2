using System.Globalization;
using Streaming.Core.Generations;
using Streaming.Serving.Approximate;
using Streaming.Serving.Search;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Serve;

/// <summary>Compares the memory that the indexes and graphs need with what the runtime may use, before anything is loaded: a server that
/// runs out of memory while it loads would do so again after every restart.</summary>
internal static class ServeMemory
{
    /// <summary>Program, clients and server, with room for answers: measured as 35 MiB of the process's own after some hundred
    /// requests.</summary>
    private const long FixedBytes = 64L << 20;

    /// <summary>Graphs of an index: while one is built the last one answers.</summary>
    private const int Graphs = 2;

    /// <summary>The least memory that serving generations needs, in bytes.</summary>
    public static long Least(ServeOptions options, IEnumerable<GenerationRecord> generations) =>
        FixedBytes + generations.Sum(record => IndexMemory.Of(record) + GraphsOf(options, record));

    /// <summary>Checks the memory.</summary>
    /// <param name="options">How items are served.</param>
    /// <param name="active">The generation that readers use; null: unknown.</param>
    /// <param name="trial">The generation on trial; null: none, or unknown.</param>
    /// <param name="available">What the runtime may use, in bytes.</param>
    /// <exception cref="SettingsException">It is too little: names both figures and what takes it.</exception>
    public static void Require(ServeOptions options, GenerationRecord? active, GenerationRecord? trial, long available)
    {
        GenerationRecord[] generations = [.. new[] { active, trial }.OfType<GenerationRecord>()];
        long least = Least(options, generations);
        if (generations.Length > 0 && least > available)
        {
            throw new SettingsException([
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"serving {string.Join(" and ", generations.Select(record => Describe(options, record)))} needs at least "
                        + $"{least >> 20} MiB of memory, but the runtime may use {available >> 20} MiB (in a container, three quarters of "
                        + $"its limit). {Advice(options, trial)}"
                ),
            ]);
        }
    }

    private static long GraphsOf(ServeOptions options, GenerationRecord record) =>
        options.Approximate && record.Items >= options.ApproximateMinItems
            ? Graphs * UsearchGraph.BytesOf(record.Items, record.Widths[^1])
            : 0;

    private static string Describe(ServeOptions options, GenerationRecord record)
    {
        string graphs = GraphsOf(options, record) is > 0 and var bytes ? $", graphs {bytes >> 20} MiB" : string.Empty;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"generation {record.Generation} ({record.Items} items of width {record.Widths[^1]}: index "
                + $"{IndexMemory.Of(record) >> 20} MiB{graphs})"
        );
    }

    private static string Advice(ServeOptions options, GenerationRecord? trial)
    {
        string[] ways =
        [
            .. trial is null ? [] : (string[])["unset STREAMING__Serve__TrialGeneration"],
            .. options.Approximate ? (string[])["unset STREAMING__Serve__Approximate"] : [],
        ];
        return ways.Length == 0 ? "Raise the limit." : $"Raise the limit, or {string.Join(" or ", ways)}.";
    }
}
