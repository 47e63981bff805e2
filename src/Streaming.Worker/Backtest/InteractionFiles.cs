using System.Runtime.InteropServices;

namespace Streaming.Worker.Backtest;

/// <summary>Reads interactions from files.</summary>
internal static class InteractionFiles
{
    /// <summary>Reads lines `user item item …`, in the order in which the user met the items.</summary>
    /// <exception cref="InputFileException">The file is missing or empty, or a line has no item: names the line.</exception>
    public static InteractionLog ReadSequences(string path)
    {
        try
        {
            var items = new StringTable();
            var sequences = new JaggedList();
            var sequence = new List<int>();
            using var reader = InputFile.OpenText(path);
            for (int line = 1; reader.ReadLine() is { } text; line++)
            {
                ReadLine(text, items, sequence);
                if (sequence.Count == 0 && !string.IsNullOrWhiteSpace(text))
                {
                    throw new InputFileException($"{path}, line {line}: no items; expected `user item item …`.");
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

    /// <summary>Groups events by user; within a user they keep the order of time, and of the files where times are equal.</summary>
    public static InteractionLog FromEvents(EventLog events)
    {
        var users = new StringTable();
        var items = new StringTable();
        var itemsOf = new List<List<int>>();
        var timesOf = new List<List<long>>();
        for (int i = 0; i < events.Count; i++)
        {
            var row = events[i];
            int user = users.Intern(row.User);
            if (user == itemsOf.Count)
            {
                itemsOf.Add([]);
                timesOf.Add([]);
            }

            itemsOf[user].Add(items.Intern(row.Item));
            timesOf[user].Add(row.Time);
        }

        var sequences = new JaggedList();
        itemsOf.ForEach(sequence => sequences.Add(CollectionsMarshal.AsSpan(sequence)));
        return new InteractionLog(
            [.. Enumerable.Range(0, items.Count).Select(item => items[item])], sequences, [.. timesOf.Select(times => times.ToArray())]);
    }

    private static void ReadLine(ReadOnlySpan<char> text, StringTable items, List<int> sequence)
    {
        sequence.Clear();
        bool isUser = true;
        foreach (var range in text.SplitAny(' ', '\t'))
        {
            var field = text[range];
            if (field.IsEmpty)
            {
                continue;
            }

            if (!isUser)
            {
                sequence.Add(items.Intern(field));
            }

            isUser = false;
        }
    }
}
