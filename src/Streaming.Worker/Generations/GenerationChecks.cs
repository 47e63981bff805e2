using System.Globalization;
using Streaming.Core.Generations;
using Streaming.Transport.Redis.Generations;

namespace Streaming.Worker.Generations;

/// <summary>Whether readers may be moved from one generation to another.</summary>
internal static class GenerationChecks
{
    /// <summary>Compares the two.</summary>
    /// <param name="next">The record of the one to move to; null: it has none.</param>
    /// <param name="old">The record of the one that readers use; null: it has none.</param>
    /// <param name="count">Which of the new one's items are in the store.</param>
    /// <param name="options">What is asked for.</param>
    /// <returns>What speaks against it; empty: nothing.</returns>
    public static string Objection(GenerationRecord? next, GenerationRecord? old, GenerationCheck count, GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (next is null || old is null)
        {
            return $"generation {(next is null ? "to switch to" : "in use")} has no record to compare by: its worker has not run with this version, or its record has expired";
        }

        double least = 1 - options.Tolerance;
        return !count.IsComplete ? Say($"{count.Present} of its {count.Expected} items are in the store")
            : next.Items < old.Items * least ? Say($"it has {next.Items} items, generation {old.Generation} has {old.Items}")
            : old.Examples == 0 || next.Examples == 0 ? Say($"recall was not measured (over {next.Examples} events here, {old.Examples} there)")
            : next.Examples < options.MinExamples ? Say($"its recall was measured over {next.Examples} events; STREAMING__Generation__MinExamples is {options.MinExamples}")
            : next.Recall < old.Recall * least ? Say($"its Recall@20 of the newest {next.Examples} events is {next.Recall:F4}, that of generation {old.Generation} {old.Recall:F4}")
            : string.Empty;
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
