using Streaming.Core.Embeddings;

namespace Streaming.Serving.Recommendations;

/// <summary>A user's published items, continued by the items of a session that are not published yet.</summary>
internal static class SessionHistory
{
    /// <summary>Appends the session's items that the history does not end with already: those that the trainer has published since the
    /// session began are not taken twice.</summary>
    /// <param name="history">Published items, oldest first.</param>
    /// <param name="session">Ids of the session's items, oldest first.</param>
    public static ulong[] Continue(ReadOnlySpan<ulong> history, IReadOnlyList<string> session)
    {
        ulong[] items = [.. session.Select(RedisKeys.Hash)];
        return [.. history, .. items[Overlap(history, items)..]];
    }

    /// <summary>How many of the session's first items are the last ones of the history.</summary>
    private static int Overlap(ReadOnlySpan<ulong> history, ReadOnlySpan<ulong> session)
    {
        int overlap = Math.Min(history.Length, session.Length);
        while (!history[^overlap..].SequenceEqual(session[..overlap]))
        {
            overlap--;
        }

        return overlap;
    }
}
