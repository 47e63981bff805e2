namespace Streaming.Tests;

/// <summary>Corrupts valid bytes: bits flipped, bytes changed, removed, inserted, duplicated, truncated.</summary>
internal static class Mutation
{
    public static byte[] Of(byte[] seed, Random random)
    {
        List<byte> bytes = [.. seed];
        for (int change = random.Next(4); change >= 0 && bytes.Count > 0; change--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveAt(at);
                    break;
                case 3:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 12), bytes.Count - at)));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }
}
