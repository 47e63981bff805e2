using System.Globalization;
using Streaming.Core.Generations;
using Streaming.Transport.Redis.Generations;

namespace Streaming.Worker.Generations;

/// <summary>Decides whether readers may switch from one generation to another.</summary>
internal static class GenerationChecks
{
    /// <summary>Compares two generations.</summary>
    /// <param name="next">Record of the generation to switch to; null if it has none.</param>
    /// <param name="old">Record of the generation that readers use; null if it has none.</param>
    /// <param name="count">How many of the new generation's items are in the store.</param>
    /// <param name="options">The thresholds.</param>
    /// <returns>The first objection, or an empty string.</returns>
    public static string Objection(GenerationRecord? next, GenerationRecord? old, GenerationCheck count, GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (next is null || old is null)
        {
            return $"generation {(next is null ? "to switch to" : "in use")} has no record to compare: its worker has not run with this "
                + "version, or the record has expired";
        }

        double least = 1 - options.Tolerance;
        return !count.IsComplete ? Say($"only {count.Present} of its {count.Expected} items are in the store")
            : next.Items < old.Items * least ? Say($"it has {next.Items} items, generation {old.Generation} has {old.Items}")
            : old.Examples == 0 || next.Examples == 0
                ? Say($"recall was not measured ({next.Examples} events in the new generation, {old.Examples} in the old)")
            : next.Examples < options.MinExamples
                ? Say($"its recall was measured over {next.Examples} events; STREAMING__Generation__MinExamples is {options.MinExamples}")
            : next.Recall < old.Recall * least
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"its Recall@20 over the last {next.Examples} events is {next.Recall:F4}; generation {old.Generation} has "
                        + $"{old.Recall:F4}"
                )
            : string.Empty;
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
