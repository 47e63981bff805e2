namespace Streaming.Worker.Engine;

/// <summary>Which engine trains.</summary>
public enum EngineKind
{
    /// <summary>Explicit layers over vector kernels, on the processor.</summary>
    Cpu,

    /// <summary>TorchSharp, on a CUDA card or the processor; its native libraries come with builds with Torch=cpu or Torch=cuda.</summary>
    Torch,
}
