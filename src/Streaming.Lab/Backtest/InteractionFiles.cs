using System.Globalization;
using System.Runtime.InteropServices;
using Streaming.Core.Dedup;
using Streaming.Core.Events;
using Streaming.Core.Hashing;
using Streaming.Formats.Files;
using Streaming.Formats.Inputs;

namespace Streaming.Lab.Backtest;

/// <summary>Reads interactions from files.</summary>
internal static class InteractionFiles
{
    /// <summary>Reads lines `user item item …`, oldest item first.</summary>
    /// <exception cref="InputFileException">The file is missing or empty, a line has no item, or a user has two lines; the message names
    /// the line.</exception>
    public static InteractionLog ReadSequences(string path)
    {
        try
        {
            var items = new StringTable();
            var users = new StringTable();
            var sequences = new JaggedList();
            var sequence = new List<int>();
            using StreamReader reader = InputFile.OpenText(path);
            for (int line = 1; reader.ReadLine() is { } text; line++)
            {
                string? user = ReadLine(text, users, items, sequence);
                if (sequence.Count == 0 && !string.IsNullOrWhiteSpace(text))
                {
                    throw new InputFileException($"{path}, line {line}: no items; expected `user item item …`.");
                }

                if (user is not null)
                {
                    throw new InputFileException(
                        $"{path}, line {line}: user '{user}' already has a line; expected all items of a user on one line. Read a file "
                            + "of `user item` pairs with --events and --columns, including a time."
                    );
                }

                if (sequence.Count > 0)
                {
                    sequences.Add(CollectionsMarshal.AsSpan(sequence));
                }
            }

            return sequences.Count > 0
                ? new InteractionLog([.. Enumerable.Range(0, items.Count).Select(item => items[item])], sequences, null)
                : throw new InputFileException($"{path}: no sequences; expected lines `user item item …`.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new InputFileException($"{path}: {exception.Message}", exception);
        }
    }

    /// <summary>
    /// Groups events by user, sorted by time, then by file order. Event rules, event type weights
    /// and the dedup window are those of live ingestion; a record counts as produced when the event happened.
    /// </summary>
    /// <param name="events">The events, sorted by time.</param>
    /// <param name="settings">Event types and dedup window.</param>
    /// <param name="time">Clock for the check of event times in the future.</param>
    /// <param name="tell">Receives a line if any record was dropped.</param>
    /// <exception cref="InputFileException">No trainable event is left.</exception>
    public static InteractionLog FromEvents(EventLog events, BacktestOptions settings, TimeProvider time, Action<string> tell)
    {
        EventRules rules = settings.Events.ToRules(time);
        var dedup = new DedupWindow(settings.Dedup);
        var bytes = new EventBytes();
        var log = new UserSequences();
        int duplicates = 0;
        var refused = new SortedDictionary<DeadLetterReason, int>();
        for (int i = 0; i < events.Count; i++)
        {
            EventRow row = events[i];
            InteractionEvent candidate = bytes.Of(row);
            DeadLetterReason reason = rules.Check(candidate, out float weight);
            if (reason != DeadLetterReason.None)
            {
                refused[reason] = refused.GetValueOrDefault(reason) + 1;
            }
            else if (!candidate.EventId.IsEmpty && !dedup.TryAdd(XxHash64.Hash(candidate.EventId), row.Time))
            {
                duplicates++;
            }
            else
            {
                log.Add(row, weight);
            }
        }

        InteractionLog all = log.ToLog();
        string said = string.Create(
            CultureInfo.InvariantCulture,
            $"{events.Count} records: {all.ExampleCount} trainable events, {all.EventCount - all.ExampleCount} history only (weight 0), "
                + $"{duplicates} duplicates (same event id within STREAMING__Dedup__Window), {refused.Values.Sum()} "
                + $"refused{string.Concat(refused.Select(pair => $"; {pair.Key}: {pair.Value}"))}"
        );
        if (all.ExampleCount == 0)
        {
            throw new InputFileException($"No trainable event in {said}.");
        }

        if (all.ExampleCount < events.Count)
        {
            tell(said);
        }

        return all;
    }

    /// <returns>The user's id if it occurred before, or null.</returns>
    private static string? ReadLine(ReadOnlySpan<char> text, StringTable users, StringTable items, List<int> sequence)
    {
        sequence.Clear();
        bool isUser = true;
        string? known = null;
        foreach (Range range in text.SplitAny(' ', '\t'))
        {
            ReadOnlySpan<char> field = text[range];
            if (field.IsEmpty)
            {
                continue;
            }

            if (!isUser)
            {
                sequence.Add(items.Intern(field));
            }
            else if (users.Count is var count && users.Intern(field) is var user && user < count)
            {
                known = users[user];
            }

            isUser = false;
        }

        return known;
    }
}
