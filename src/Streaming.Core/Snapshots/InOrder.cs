namespace Streaming.Core.Snapshots;

/// <summary>Merges sequences that are too long for memory: one entry of each is read ahead.</summary>
internal static class InOrder
{
    /// <summary>Steps through several ordered sequences as if they were one.</summary>
    /// <param name="sequences">The sequences, before their first entry.</param>
    /// <param name="moveNext">Steps to the next entry; false at the end.</param>
    /// <param name="key">The key of the current entry. A sequence that is not in this order keeps its own.</param>
    /// <returns>The sequence with the smallest key, the first of equal ones, after each step; read its entry before the next one.</returns>
    public static IEnumerable<T> Of<T>(IReadOnlyList<T> sequences, Func<T, bool> moveNext, Func<T, long> key)
    {
        var ahead = new PriorityQueue<T, (long Key, int Number)>(sequences.Count);
        for (int number = 0; number < sequences.Count; number++)
        {
            if (moveNext(sequences[number]))
            {
                ahead.Enqueue(sequences[number], (key(sequences[number]), number));
            }
        }

        while (ahead.TryDequeue(out T? next, out (long Key, int Number) place))
        {
            yield return next;
            if (moveNext(next))
            {
                ahead.Enqueue(next, (key(next), place.Number));
            }
        }
    }
}
