namespace Streaming.Tests;

/// <summary>The minimum rights of a trainer's and a reader's Redis user; schemas/embedding-value.md lists the same.</summary>
internal static class AccessLists
{
    /// <summary>Commands that the client itself sends on every connection.</summary>
    private const string Client =
        "+ping +echo +info +hello +auth +client|setname +client|id +cluster|slots +cluster|nodes +readonly +readwrite +asking "
        + "+subscribe &__Booksleeve_MasterChanged %R~__Booksleeve_TieBreak";

    private const string TrainerCommands =
        "+get +mget +set +setnx +setex +psetex +del +exists +expire +pexpire +getrange +setrange +hget +hmget +hset +pttl +time +xadd +eval "
        + "+evalsha +script|load +wait +scan";

    private const string ReaderCommands = "+get +mget +xread +xrevrange +scan";

    /// <summary>Rules of a trainer's user.</summary>
    public static string Trainer(string model) => $"~e:{model}:* ~l:{model}:* ~u:{model}:* ~m:{model}:* {Client} {TrainerCommands}";

    /// <summary>Rules of a reader's user.</summary>
    public static string Reader(string model) => $"%R~e:{model}:* %R~u:{model}:* %R~m:{model}:* {Client} {ReaderCommands}";
}
