namespace Streaming.Transport;

/// <summary>The recent items of a user, for the serving tier.</summary>
/// <param name="UserKey">Hash of the user's id.</param>
/// <param name="Items">Hashes of the items' ids, oldest first, at most 4096.</param>
public readonly record struct UserHistory(ulong UserKey, ReadOnlyMemory<ulong> Items);
