using System.Text;
using Streaming.Learning.Ranks;
using Streaming.Models.State;

namespace Streaming.Learning.Checkpoints;

/// <content>The ranks of a job continue from one checkpoint.</content>
public sealed partial class CheckpointStore
{
    /// <summary>
    /// The newest checkpoint that verifies, as <see cref="FindNewest()"/>, and the same one on every rank: rank 0 lists the checkpoints,
    /// the ranks share the verification, and a checkpoint that one rank finds damaged is skipped by all. Collective.
    /// </summary>
    /// <param name="ranks">The ranks; all have the same checkpoint folder.</param>
    /// <exception cref="UnreadableCheckpointException">A rank cannot read it, or not use it; thrown on every rank.</exception>
    /// <exception cref="DamagedCheckpointsException">There are checkpoints, and every one is damaged.</exception>
    /// <exception cref="StateMismatchException">The newest was written by a newer version of this program, or belongs to another
    /// model.</exception>
    public Checkpoint? FindNewest(Collective ranks)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        string damage = string.Empty;
        foreach (string name in NamesOnRank0(ranks))
        {
            string path = Path.Combine(_directory, name);
            Checkpoint? found = null;
            Exception? failure = null;
            try
            {
                found = TryOpen(path, ranks.Rank, ranks.Size, ref damage);
            }
            catch (Exception exception) when (exception is UnreadableCheckpointException or StateMismatchException)
            {
                failure = exception;
            }

            (int unusable, int damaged) = Outcome(ranks, found is not null, failure);
            if (unusable >= 0)
            {
                throw failure ?? new UnreadableCheckpointException($"Rank {Number(unusable)} cannot use checkpoint '{path}': see its log.");
            }

            if (damaged < 0)
            {
                return found;
            }

            if (found is not null)
            {
                damage = $"Rank {Number(damaged)} finds '{path}' damaged.";
                _warn($"Skipping checkpoint '{path}': rank {Number(damaged)} finds it damaged.");
            }
        }

        return damage.Length == 0 ? null : throw AllDamaged(damage);
    }

    private string[] NamesOnRank0(Collective ranks)
    {
        byte[] names = ranks.Rank == 0 ? Encoding.UTF8.GetBytes(string.Join('\n', List().Select(Path.GetFileName))) : [];
        Span<int> length = [names.Length];
        ranks.Broadcast(length, root: 0);
        names = ranks.Rank == 0 ? names : new byte[length[0]];
        ranks.Broadcast<byte>(names, root: 0);
        return Encoding.UTF8.GetString(names).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The first rank that cannot use the checkpoint, and the first that finds it damaged; −1: none.</summary>
    private static (int Unusable, int Damaged) Outcome(Collective ranks, bool isGood, Exception? failure)
    {
        int[] all = new int[ranks.Size];
        ReadOnlySpan<int> own =
        [
            failure is not null ? 2
            : isGood ? 0
            : 1,
        ];
        ranks.Gather(own, all, [.. Enumerable.Repeat(1, ranks.Size)]);
        return (Array.IndexOf(all, 2), Array.IndexOf(all, 1));
    }
}
