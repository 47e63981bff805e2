using System.Numerics.Tensors;
using Streaming.Core.Items;

namespace Streaming.Encoders.Onnx;

/// <summary>Makes feature groups of a model's outputs.</summary>
internal static class UnitVectors
{
    /// <summary>The longest output that an item record takes as a feature group.</summary>
    public static readonly int MaxLength = new ItemLimits().MaxGroupLength;

    /// <summary>The vector, scaled to length 1; a vector of zeros stays.</summary>
    public static float[] Scale(ReadOnlySpan<float> vector)
    {
        float[] unit = vector.ToArray();
        float norm = TensorPrimitives.Norm<float>(unit);
        if (norm > 0)
        {
            TensorPrimitives.Divide(unit, norm, unit);
        }

        return unit;
    }
}
