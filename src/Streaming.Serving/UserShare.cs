using System.Text;
using Streaming.Core.Hashing;

namespace Streaming.Serving;

/// <summary>Draws a share of the users by a hash of their ids, for example to show them another generation (A/B): every process draws
/// the same ones, without a list.</summary>
public static class UserShare
{
    /// <summary>Whether a user is among those drawn. Who is drawn by a share is drawn by any greater one as well.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="share">The share of the users to draw, 0 … 1.</param>
    /// <param name="draw">The number of the draw, such as that of the generation on trial: draws of different numbers are
    /// independent.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is not 0 … 1.</exception>
    public static bool Contains(string user, double share, uint draw)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentOutOfRangeException.ThrowIfLessThan(share, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);

        // The upper 53 bits, which a double holds exactly.
        return (XxHash64.Hash(Encoding.UTF8.GetBytes(user), seed: draw) >> 11) * (1.0 / (1UL << 53)) < share;
    }
}
