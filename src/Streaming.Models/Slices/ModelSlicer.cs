using System.Runtime.InteropServices;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;
using Streaming.Models.Towers;

namespace Streaming.Models.Slices;

/// <summary>
/// Slices a trained model to one of its nested widths. Every tensor of the narrower model is the leading block of the wider
/// model's: slices of nested linear maps are kept whole or dropped, vectors and the item projection keep their first columns.
/// </summary>
public static class ModelSlicer
{
    /// <summary>Options of the model at a width.</summary>
    /// <exception cref="ArgumentException">The width is not one of the model's.</exception>
    public static ModelOptions At(ModelOptions model, int width)
    {
        ArgumentNullException.ThrowIfNull(model);
        int count = model.Widths.ToList().IndexOf(width) + 1;
        if (count == 0)
        {
            throw new ArgumentException($"width is {width}; allowed: {string.Join(", ", model.Widths)}.", nameof(width));
        }

        return model with
        {
            Widths = [.. model.Widths.Take(count)],
            WidthWeights = [.. model.WidthWeights.Take(count)],
            Dropout = [.. model.Dropout.Take(model.Dropout.Count == 1 ? 1 : count)],
        };
    }

    /// <summary>The tower and the item projection at a width, without optimiser state, items or bank.</summary>
    /// <param name="source">State of the model, or of a wider slice of it.</param>
    /// <param name="model">The model's options.</param>
    /// <param name="width">One of its widths.</param>
    /// <param name="projection">Whether to include the item projection, or only the user tower.</param>
    /// <exception cref="StateMismatchException">A tensor is missing or of another shape.</exception>
    public static TensorSource Slice(TensorSource source, ModelOptions model, int width, bool projection = true)
    {
        ModelOptions options = At(model, width);
        var set = new ParameterSet();
        _ = projection ? new ItemProjection(set, options) : null;
        _ = UserTower.Create(set, options, new Increments(options.Widths));
        Read(source, set);
        return new Sliced(set);
    }

    /// <summary>Reads the leading block of every parameter. Allocates only after checking that all of them exist, so a file that
    /// claims to hold a large model costs no more than its own size.</summary>
    public static void Read(TensorSource source, ParameterSet set)
    {
        ArgumentNullException.ThrowIfNull(source);
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < source.Tensors.Count; i++)
        {
            index[source.Tensors[i].Name] = i;
        }

        int[] tensors =
        [
            .. set.All.Select(parameter =>
                index.TryGetValue(parameter.Name, out int tensor)
                    ? Check(source.Tensors[tensor], parameter, tensor)
                    : throw new StateMismatchException(
                        $"Tensor {parameter.Name} is missing: the state belongs to a model with other options."
                    )
            ),
        ];
        set.Allocate();
        for (int i = 0; i < tensors.Length; i++)
        {
            ReadBlock(source, tensors[i], set.All[i], set.Value(set.All[i]));
        }
    }

    private static int Check(TensorInfo info, Parameter parameter, int tensor)
    {
        bool fits = info.Type == TensorType.F32 && info.Shape.Count == parameter.Shape.Length;
        for (int i = 0; fits && i < parameter.Shape.Length; i++)
        {
            fits = info.Shape[i] >= parameter.Shape[i];
        }

        return fits
            ? tensor
            : throw new StateMismatchException(
                $"Tensor {info.Name} is {info.Type} [{string.Join(", ", info.Shape)}]; the model at this width needs F32 "
                    + $"[{string.Join(", ", parameter.Shape)}] or more."
            );
    }

    private static void ReadBlock(TensorSource source, int tensor, Parameter parameter, Span<float> values)
    {
        int columns = parameter.Shape[^1];
        long stride = source.Tensors[tensor].Shape[^1] * sizeof(float);
        for (int row = 0; row < values.Length / columns; row++)
        {
            source.Read(tensor, row * stride, MemoryMarshal.AsBytes(values.Slice(row * columns, columns)));
        }
    }

    private sealed class Sliced(ParameterSet set) : TensorSource
    {
        public override IReadOnlyList<TensorInfo> Tensors { get; } =
        [.. set.All.Select(parameter => new TensorInfo(parameter.Name, TensorType.F32, [.. parameter.Shape.Select(size => (long)size)]))];

        public override void Read(int tensor, long byteOffset, Span<byte> destination) =>
            MemoryMarshal.AsBytes(set.Value(set.All[tensor])).Slice(checked((int)byteOffset), destination.Length).CopyTo(destination);

        protected override void Dispose(bool disposing) { }
    }
}
