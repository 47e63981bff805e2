namespace Streaming.Learning.Torch.Devices;

/// <summary>How the kernels of a tower store activations and their gradients.</summary>
public enum ActivationKind
{
    /// <summary>As float32.</summary>
    Full,

    /// <summary>As bfloat16, with 8 bits of mantissa: half the memory and traffic. Sums, norms, recurrences, parameters and moments
    /// are float32; products multiply bfloat16 and add in float32.</summary>
    Bfloat16,
}
