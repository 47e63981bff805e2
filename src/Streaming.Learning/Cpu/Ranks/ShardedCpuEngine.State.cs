using Streaming.Models.State;

namespace Streaming.Learning.Cpu.Ranks;

/// <content>State of a rank: its own item rows, and all that is equal on every rank.</content>
public sealed partial class ShardedCpuEngine
{
    /// <inheritdoc/>
    /// <remarks>Collective: the ranks exchange the optimiser's moments of the dense parameters first.</remarks>
    public override TensorSnapshot BeginSnapshot()
    {
        _dense.GatherMoments();
        return base.BeginSnapshot();
    }

    /// <inheritdoc/>
    /// <remarks>The state of one engine that stores all rows is dealt: this rank takes its own.</remarks>
    public override void Restore(TensorSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        base.Restore(RankTensors.IndexOf(source, RankTensors.Share) < 0 ? new DealtState([source], _ranks.Rank, _ranks.Size) : source);
    }

    private protected override void AddShare(List<StateTensor> tensors) =>
        tensors.Add(StateTensor.Copy<int>(RankTensors.Share, [_ranks.Rank, _ranks.Size], _copies));

    private protected override void CheckShare(StateReader reader)
    {
        int[] share = new int[2];
        reader.Read(RankTensors.Share, share);
        if (share[0] != _ranks.Rank || share[1] != _ranks.Size)
        {
            throw new StateMismatchException(
                $"The state is that of rank {share[0]} of {share[1]}; this is rank {_ranks.Rank} of {_ranks.Size}. Start with the number "
                    + "of ranks that the state was written with, or deal it again (DealtState)."
            );
        }
    }
}
