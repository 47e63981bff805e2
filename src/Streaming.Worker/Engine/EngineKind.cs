namespace Streaming.Worker.Engine;

/// <summary>The training engine.</summary>
public enum EngineKind
{
    /// <summary>Explicit layers over vector kernels, on the CPU.</summary>
    Cpu,

    /// <summary>TorchSharp, on a CUDA GPU or the CPU; builds with Torch=cpu or Torch=cuda contain its native libraries.</summary>
    Torch,
}
