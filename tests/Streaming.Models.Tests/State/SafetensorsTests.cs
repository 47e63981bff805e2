using System.Buffers.Binary;
using System.Text;
using Streaming.Models.State;
using Streaming.Tests;
using Xunit;

namespace Streaming.Models.Tests.State;

public class SafetensorsTests
{
    /// <summary>Bytes in the reference implementation's format: header length, header, data.</summary>
    [Fact]
    public void Write_OneTensor_HasThePublishedLayout()
    {
        var tensors = new TensorSet();
        tensors.Add<float>("w", [1f, -2f]);
        byte[] bytes = Write(tensors);
        string header = """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";
        int padded = (header.Length + 7) / 8 * 8;
        Assert.Equal(padded, BinaryPrimitives.ReadInt64LittleEndian(bytes));
        Assert.Equal(header.PadRight(padded), Encoding.UTF8.GetString(bytes, 8, padded));
        Assert.Equal([0x00, 0x00, 0x80, 0x3F, 0x00, 0x00, 0x00, 0xC0], bytes[(8 + padded)..]);
    }

    [Fact]
    public void WriteRead_AllTypes_ComeBackAsTheyWere()
    {
        var tensors = new TensorSet();
        tensors.Add<float>("f32", [1.5f, float.NaN]);
        tensors.Add<double>("f64", [Math.PI]);
        tensors.Add<int>("i32", [int.MinValue, 7, 8]);
        tensors.Add<long>("i64", [long.MaxValue]);
        tensors.Add<ulong>("u64", [ulong.MaxValue]);
        tensors.Add<byte>("u8", [1, 2, 255]);
        tensors.Add<float>("empty", []);
        tensors.AddStrings("ids", ["a", null, "", "größer"]);
        using var file = SafetensorsReader.FromMemory(Write(tensors));
        var reader = new TensorReader(file);
        Assert.Equal([1.5f, float.NaN], reader.ReadArray<float>("f32", 2));
        Assert.Equal(Math.PI, reader.ReadValue<double>("f64"));
        Assert.Equal([int.MinValue, 7, 8], reader.ReadArray<int>("i32", 3));
        Assert.Equal(long.MaxValue, reader.ReadValue<long>("i64"));
        Assert.Equal(ulong.MaxValue, reader.ReadValue<ulong>("u64"));
        Assert.Equal([1, 2, 255], reader.ReadArray<byte>("u8", 3));
        Assert.Empty(reader.ReadArray<float>("empty", 3));
        Assert.Equal(new List<string?> { "a", null, "", "größer" }, reader.ReadStrings("ids", 4, 256));
    }

    [Fact]
    public void WriteRead_LargerThanAChunk_ComesBackFromAFile()
    {
        float[] values = [.. Enumerable.Range(0, 600_000).Select(i => (float)i)];
        var tensors = new TensorSet();
        tensors.Add<byte>("odd", [1]);
        tensors.Add<float>("large", values);
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            File.WriteAllBytes(path, Write(tensors));
            using var file = SafetensorsReader.Open(path);
            Assert.Equal(values, new TensorReader(file).ReadArray<float>("large", values.Length));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Metadata_Written_ComesBack()
    {
        using var stream = new MemoryStream();
        Safetensors.Write(
            new TensorSet(),
            stream,
            new Dictionary<string, string> { ["format"] = "pt" },
            TestContext.Current.CancellationToken
        );
        using var file = SafetensorsReader.FromMemory(stream.ToArray());
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Empty(file.Tensors);
    }

    [Fact]
    public void TensorSet_SourceChangesAfterTheCopy_ShowsTheCopy()
    {
        int[] values = [1, 2, 3];
        var tensors = new TensorSet();
        tensors.Add<int>("v", values);
        values[0] = 9;
        Assert.Equal([1, 2, 3], new TensorReader(tensors).ReadArray<int>("v", 3));
        tensors.Clear();
        tensors.Add<int>("v", values.AsSpan(0, 2));
        Assert.Equal([9, 2], new TensorReader(tensors).ReadArray<int>("v", 3));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}{}")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"w":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"w":{"dtype":"0","shape":[2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"v":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"code":"x"}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"w":{"dtype":"F32","shape":[[[[[[[[[2]]]]]]]]],"data_offsets":[0,8]}}""")]
    [InlineData("""{"__metadata__":{"a":1},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""")]
    public void Read_WrongHeader_IsRefused(string header)
    {
        byte[] bytes = new byte[8 + header.Length + 8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        Encoding.UTF8.GetBytes(header, bytes.AsSpan(8));
        Assert.Throws<InvalidDataException>(() => SafetensorsReader.FromMemory(bytes));
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(-1L)]
    [InlineData(long.MaxValue)]
    [InlineData(1L << 40)]
    public void Read_HeaderLengthOutOfBounds_IsRefusedWithoutAllocating(long length)
    {
        byte[] bytes = new byte[64];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => SafetensorsReader.FromMemory(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    /// <summary>Hostile files: whatever is changed, the reader rejects or reads it; nothing else is thrown, nothing hangs.</summary>
    [Fact]
    [Trait("Kind", Fuzz.Kind)]
    public void Read_MutatedBytes_RefusesOrReads()
    {
        var tensors = new TensorSet();
        tensors.Add<float>("a.b", [1, 2, 3, 4]);
        tensors.Add<long>("c", [1, 2]);
        tensors.AddStrings("ids", ["x", null, "yz"]);
        byte[] original = Write(tensors);
        (int cases, int accepted) = Fuzz.Run(
            1,
            100_000,
            1 << 20,
            random =>
            {
                byte[] bytes = Mutate(original, random);
                try
                {
                    using var file = SafetensorsReader.FromMemory(bytes);
                    var reader = new TensorReader(file);
                    reader.ReadArray<float>("a.b", 100);
                    reader.ReadArray<long>("c", 100);
                    reader.ReadStrings("ids", 100, 256);
                    return true;
                }
                catch (Exception exception) when (exception is InvalidDataException or StateMismatchException)
                {
                    return false;
                }
            }
        );
        Assert.InRange(accepted, 1, cases * 3 / 4);
    }

    [Fact]
    public void TensorReader_WrongTypeOrLength_SaysBothShapesAndWhatToDo()
    {
        var tensors = new TensorSet();
        tensors.Add<float>("w", [1, 2]);
        var reader = new TensorReader(tensors);
        StateMismatchException error = Assert.Throws<StateMismatchException>(() => reader.Read<int>("w", new int[3]));
        Assert.Equal(
            "Tensor w is F32[2]; the settings require I32[3]. Use the settings that the state was written with, or start without it.",
            error.Message
        );
        Assert.Throws<StateMismatchException>(() => reader.ReadValue<float>("missing"));
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        byte[] bytes = [.. original];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            int place = random.Next(bytes.Length);
            switch (random.Next(4))
            {
                case 0:
                    bytes[place] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[place] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes = bytes[..place];
                    break;
                default:
                    bytes = [.. bytes[..place], (byte)"0123456789-,[]{}\""[random.Next(17)], .. bytes[place..]];
                    break;
            }

            if (bytes.Length == 0)
            {
                return bytes;
            }
        }

        return bytes;
    }

    private static byte[] Write(TensorSource tensors)
    {
        using var stream = new MemoryStream();
        Safetensors.Write(tensors, stream);
        return stream.ToArray();
    }
}
