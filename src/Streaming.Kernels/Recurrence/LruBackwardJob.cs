namespace Streaming.Kernels.Recurrence;

/// <summary>Inputs and outputs of the backward pass.</summary>
internal ref struct LruBackwardJob
{
    public ref readonly float States;
    public ref float Gradients;
    public ref readonly float Lambda;
    public ref readonly float Gamma;
    public ref float LambdaSums;
    public ref float StateSums;
}
