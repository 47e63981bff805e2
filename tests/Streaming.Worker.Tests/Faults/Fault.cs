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

    /// <summary>The broker breaks its connections and refuses new ones.</summary>
    BrokerDown,

    /// <summary>Where the folder of the checkpoints was, there is a file.</summary>
    CheckpointFolderGone,

    /// <summary>The file system of the checkpoints has no room.</summary>
    DiskFull,
}
