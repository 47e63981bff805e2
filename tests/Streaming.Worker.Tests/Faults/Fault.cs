namespace Streaming.Worker.Tests.Faults;

/// <summary>Faults injected while the worker runs.</summary>
public enum Fault
{
    /// <summary>The server is killed and restarted with its data.</summary>
    RedisDown,

    /// <summary>The server is killed and restarted empty.</summary>
    RedisEmptied,

    /// <summary>The server answers every write with OOM.</summary>
    RedisOutOfMemory,

    /// <summary>The server accepts connections and commands, but answers nothing.</summary>
    RedisHangs,

    /// <summary>The server repeatedly freezes for a quarter of a second.</summary>
    RedisSlow,

    /// <summary>The broker answers all kinds of requests with errors, or breaks the connection.</summary>
    BrokerErrors,

    /// <summary>Every answer of the broker is delayed.</summary>
    BrokerSlow,

    /// <summary>Partitions move from broker to broker.</summary>
    LeadersMove,

    /// <summary>Another member joins the consumer group, and leaves it.</summary>
    MembersComeAndGo,

    /// <summary>The broker breaks its connections and refuses new ones.</summary>
    BrokerDown,

    /// <summary>The checkpoint folder is replaced by a file.</summary>
    CheckpointFolderGone,

    /// <summary>The file system of the checkpoints is full.</summary>
    DiskFull,
}
