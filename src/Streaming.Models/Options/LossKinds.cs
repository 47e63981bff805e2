namespace Streaming.Models.Options;

/// <summary>Where the negatives of each <see cref="LossKind"/> come from.</summary>
public static class LossKinds
{
    /// <summary>Whether a loss scores the entries of the memory bank.</summary>
    public static bool UsesBank(this LossKind loss) => loss is LossKind.Cbns or LossKind.Union;

    /// <summary>Whether a loss scores uniformly drawn items.</summary>
    public static bool DrawsUniformly(this LossKind loss) => loss is LossKind.Uniform or LossKind.Mns or LossKind.Union;

    /// <summary>Whether the uniformly drawn items share one softmax with draws from the stream, so that ln q is that of a
    /// mixture.</summary>
    public static bool MixesDraws(this LossKind loss) => loss is LossKind.Mns or LossKind.Union;
}
