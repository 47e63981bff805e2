namespace Streaming.Learning.Torch.Devices;

/// <summary>Whether the engine runs this project's CUDA kernels.</summary>
public enum KernelMode
{
    /// <summary>Where they can run; else torch's operations, and the log says why.</summary>
    Auto,

    /// <summary>Always: the engine does not start where they cannot run.</summary>
    On,

    /// <summary>Never: torch's operations, the reference.</summary>
    Off,
}
