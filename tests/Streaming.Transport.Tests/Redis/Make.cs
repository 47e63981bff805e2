using System.Text;
using Streaming.Core.Hashing;
using Streaming.Core.Refreshes;

namespace Streaming.Transport.Tests.Redis;

internal static class Make
{
    public static readonly int[] Widths = [4, 8, 16];

    public static Refresh Item(string id, long step = 1, float value = 1, long produced = 0) =>
        new(Key(id), id, [.. Enumerable.Range(0, 16).Select(i => value + i)], step, step * 1000, produced);

    public static Refresh Removal(string id, long step = 1) => new(Key(id), id, null, step, 0, 0);

    public static List<Refresh> Items(int count, long step = 1, float value = 1, long produced = 0) =>
        [.. Enumerable.Range(0, count).Select(i => Item($"item{i}", step, value, produced))];

    public static ulong Key(string id) => XxHash64.Hash(Encoding.UTF8.GetBytes(id));
}
