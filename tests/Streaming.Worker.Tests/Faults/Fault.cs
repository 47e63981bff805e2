namespace Streaming.Worker.Tests.Faults;

/// <summary>What is broken while the worker runs.</summary>
public enum Fault
{
    /// <summary>The server is killed and comes back with what it had.</summary>
    RedisDown,

    /// <summary>The server is killed and comes back with nothing.</summary>
    RedisEmptied,

    /// <summary>The server answers every write with OOM.</summary>
    RedisOutOfMemory,

    /// <summary>The server takes connections and commands, and answers nothing.</summary>
    RedisHangs,

    /// <summary>The server stands still for a quarter of a second, again and again.</summary>
    RedisSlow,

    /// <summary>The broker answers requests of every kind with errors, or breaks the connection.</summary>
    BrokerErrors,

    /// <summary>Every answer of the broker is late.</summary>
    BrokerSlow,

    /// <summary>Partitions move from broker to broker.</summary>
    LeadersMove,

    /// <summary>Another member joins the consumer group, and leaves it.</summary>
    MembersComeAndGo,

    /// <summary>The broker breaks its connections and refuses new ones.</summary>
    BrokerDown,

    /// <summary>Where the folder of the checkpoints was, there is a file.</summary>
    CheckpointFolderGone,

    /// <summary>The file system of the checkpoints has no room.</summary>
    DiskFull,
}
