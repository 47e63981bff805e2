using Streaming.Core.Dedup;
using Streaming.Core.Ingestion;

namespace Streaming.Core.Tests.Ingestion;

/// <summary>What a snapshot holds, in its order, for comparison.</summary>
internal sealed record StoredUsers(IReadOnlyList<StoredUsers.User> Users, IReadOnlyList<(ulong Hash, long Time)> Ids, StoredIngest Head)
{
    public static byte[] Bytes(IngestState state)
    {
        using IngestSnapshot snapshot = state.Share();
        using var stream = new MemoryStream();
        snapshot.WriteTo(stream);
        return stream.ToArray();
    }

    public static StoredUsers Of(IngestState state)
    {
        using var bytes = new MemoryStream(Bytes(state));
        var stored = new StoredIngest(bytes);
        var users = new List<User>();
        while (stored.Histories.MoveNext())
        {
            string entries = string.Join(' ', stored.Histories.Items.ToArray().Zip(stored.Histories.Times.ToArray()));
            users.Add(new User(stored.Histories.User, stored.Histories.Partition, entries));
        }

        var ids = new List<(ulong, long)>();
        StoredIds window = stored.OpenIds();
        while (window.MoveNext())
        {
            ids.Add((window.Hash, window.Time));
        }

        stored.Complete();
        return new StoredUsers(users, ids, stored);
    }

    public sealed record User(ulong Key, int Partition, string Entries);
}
