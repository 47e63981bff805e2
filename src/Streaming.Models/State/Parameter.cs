namespace Streaming.Models.State;

/// <summary>A named dense parameter: a range of the arrays of a <see cref="ParameterSet"/>.</summary>
/// <param name="Name">Dotted path, the tensor's name in checkpoints.</param>
/// <param name="Shape">Dimensions, outermost first.</param>
/// <param name="Offset">Start in the arrays.</param>
/// <param name="Decays">Whether weight decay applies: weights of linear maps only.</param>
public sealed record Parameter(string Name, int[] Shape, int Offset, bool Decays)
{
    /// <summary>Gets the number of values.</summary>
    public int Length { get; } = Shape.Aggregate(1, (product, size) => product * size);
}
