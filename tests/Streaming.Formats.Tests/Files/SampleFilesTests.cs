using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Avro.File;
using Avro.Generic;
using Parquet;
using Parquet.Schema;
using Parquet.Serialization;
using Parquet.Serialization.Attributes;
using Streaming.Formats.Files;
using Streaming.Formats.Inputs;
using Streaming.Formats.Mapping;
using Xunit;
using AvroRecord = Avro.Generic.GenericRecord;

namespace Streaming.Formats.Tests.Files;

/// <summary>A small generated sample of each kind of file, including damaged ones, and the result of reading it.</summary>
public sealed class SampleFilesTests : IDisposable
{
    private const long Start = 1_772_323_242_645;
    private readonly string _folder = Directory.CreateTempSubdirectory("samples-").FullName;
    private readonly List<string> _warnings = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("user,item,event_type,timestamp\n7,i,cart,1772323242645\n", null, "7 i cart 0")]
    [InlineData("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n7,i,1772323242,cart\n", null, "7 i cart -645")]
    [InlineData("\uFEFFUser ID;Item ID;Preis;Time\r\n7;i;1,5;2026-03-01 00:00:42.645Z\r\n", null, "7 i view 0")]
    [InlineData("\uFEFF{\"userId\":7,\"itemId\":\"i\",\"timestamp\":1772323242645}", null, "7 i view 0")]
    [InlineData(
        "{\"userId\":null,\"anonymousId\":\"7\",\"item\":\"i\",\"ts\":1772323242645}",
        "user=userId|anonymousId,item=item,time=ts",
        "7 i view 0"
    )]
    [InlineData("user_id;device;item;time\n;7;i;1772323242645\n", "user=user_id|device,item=item,time=time,type=:cart", "7 i cart 0")]
    [InlineData("sep=|\nuser|item|time\n7|i|1772323242645\n", null, "7 i view 0")]
    [InlineData("user,item,timestamp\r7,i,1772323242645\r", null, "7 i view 0")]
    [InlineData("user_id:token\titem_id:token\ttimestamp:float\n7\ti\t1772323242.645\n", null, "7 i view 0")]
    [InlineData("timestamp,visitorid,event,itemid,transactionid\n1772323242645,7,addtocart,i,\n", null, "7 i addtocart 0")]
    [InlineData("user_id,parent_asin,rating,timestamp\n7,i,5.0,1772323242645\n", null, "7 i click 0")]
    [InlineData(",user_id,item_id,event_time\n0,7.0,i,2026-03-01 00:00:42.645000+00:00\n", null, "7 i view 0")]
    [InlineData("7::i::5::1772323242\n", "user=0,item=1,value=2,time=3", "7 i view -645")]
    [InlineData("7,2026-03-01T00:00:42.645Z,i,0\n", "user=0,time=1,item=2", "7 i view 0")]
    [InlineData("7\t2026-03-01T00:00:42Z\t\t\"Heroes\" (live)\t\ti\n", "user=0,time=1,item=5", "7 i view -645")]
    [InlineData("x\t7\ti\tcart\t2026-03-01 00:00:42.645+00\t\\N\n", "user=1,item=2,type=3,time=4,value=5", "7 i cart 0")]
    [InlineData("user.id,product.sku,at\n7,i,1772323242645\n", "user=user.id,item=product.sku,time=at", "7 i view 0")]
    [InlineData("{\"userId\":7,\"itemId\":\"i\",\"timestamp\":\"2026-03-01T00:00:42.645Z\"}", null, "7 i view 0")]
    [InlineData(
        "{\"event_timestamp\":\"1772323242645000\",\"event_name\":\"view_item\",\"user_pseudo_id\":\"7\",\"items\":[{\"item_id\":\"i\"},{\"item_id\":\"j\"}]}",
        "user=user_pseudo_id,item=items[].item_id,type=event_name,time=event_timestamp",
        "7 i view_item 0|7 j view_item 0"
    )]
    [InlineData(
        "{\"rating\":5.0,\"title\":\"Nice\",\"asin\":\"v\",\"parent_asin\":\"i\",\"user_id\":\"7\",\"timestamp\":1772323242645}",
        null,
        "7 i click 0"
    )]
    public void ReadAll_TextOfEachKind_GivesItsEvents(string text, string? columns, string expected)
    {
        EventLog log = Read(columns, Write(Encoding.UTF8.GetBytes(text)));

        Assert.Equal(expected, Events(log));
        Assert.Equal(0, log.Bad);
    }

    [Fact]
    public void ReadAll_Utf16Text_IsReadByItsByteOrderMark() =>
        Assert.Equal(
            "7 é view 0",
            Events(
                Read(
                    null,
                    Write([.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("user\titem\ttime\r\n7\té\t1772323242645\r\n")])
                )
            )
        );

    [Fact]
    public async Task ReadAll_ParquetOfManyTypesAndGroups_GivesItsRows()
    {
        string path = Path.Combine(_folder, "nested.parquet");
        ParquetRow[] rows =
        [
            new()
            {
                User = new() { Id = 7 },
                At = DateTime.UnixEpoch.AddMilliseconds(Start),
                Lines = [new() { Sku = "a" }, new() { Sku = "b" }],
            },
            new()
            {
                User = null,
                At = DateTime.UnixEpoch.AddMilliseconds(Start + 1),
                Lines = [new() { Sku = "c" }],
            },
            new()
            {
                User = new() { Id = 8 },
                At = DateTime.UnixEpoch.AddMilliseconds(Start + 2),
                Lines = [],
            },
            new()
            {
                User = new() { Id = 9 },
                At = DateTime.UnixEpoch.AddMilliseconds(Start + 3),
                Lines = [new() { Sku = "d" }],
            },
        ];
        foreach (
            CompressionMethod method in (CompressionMethod[])
                [CompressionMethod.None, CompressionMethod.Snappy, CompressionMethod.Gzip, CompressionMethod.Zstd, CompressionMethod.Lz4Raw]
        )
        {
            await ParquetSerializer.SerializeAsync(
                rows,
                path,
                new ParquetOptions { CompressionMethod = method, RowGroupSize = 2 },
                cancellationToken: TestContext.Current.CancellationToken
            );

            EventLog log = Read("user=user.id,item=lines[].sku,time=at", path);

            Assert.Equal("7 a view 0|7 b view 0|9 d view 3", Events(log));
            Assert.Equal(2, log.Dropped);
        }
    }

    [Theory]
    [InlineData("ets", "1000000010 SKU-0080 view 0|1000000003 SKU-0006 view 28340|1000000015 SKU-0000 view 44766")]
    [InlineData("lines[].at", "1000000010 SKU-0080 view 0|1000000003 SKU-0006 view 28340|1000000015 SKU-0000 view 44766")]
    [InlineData("day", "1000000010 SKU-0080 view -42645|1000000003 SKU-0006 view -42645|1000000015 SKU-0000 view -42645")]
    public void ReadAll_ParquetWithDeltaEncodedTimes_GivesItsRows(string time, string expected)
    {
        using Stream resource = typeof(SampleFilesTests).Assembly.GetManifestResourceStream("delta-encoded.parquet")!;
        var bytes = new MemoryStream();
        resource.CopyTo(bytes);

        Assert.Equal(expected, Events(Read($"user=user.id,item=lines[].sku,time={time}", Write(bytes.ToArray()))));
    }

    [Fact]
    public async Task ReadAll_FolderOfPartitions_IsOneLogWithItsColumns()
    {
        foreach (string country in (string[])["de", "fr"])
        {
            string folder = Directory.CreateDirectory(Path.Combine(_folder, "log", "type=" + country)).FullName;
            await WriteParquetAsync(
                Path.Combine(folder, "part-0.parquet"),
                ("user_id", (double[])[country.Length, double.NaN]),
                ("item_id", (string[])[country, "x"]),
                ("ts", (long[])[Start, Start])
            );
        }

        await File.WriteAllTextAsync(Path.Combine(_folder, "log", "_SUCCESS"), string.Empty, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_folder, "log", ".part.crc"), "crc", TestContext.Current.CancellationToken);

        EventLog log = EventFileReader.ReadAll([Path.Combine(_folder, "log")], new EventFileOptions(), _warnings.Add);

        Assert.Equal("2 de de 0|2 fr fr 0", Events(log));
        Assert.Equal(2, log.Bad);
        Assert.Contains(_warnings, warning => warning.Contains("row 2: user (user_id) is empty", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("deflate")]
    [InlineData("snappy")]
    [InlineData("zstandard")]
    public void ReadAll_AvroContainer_GivesItsRecords(string codec)
    {
        string path = Path.Combine(_folder, "a.avro");
        WriteAvro(path, codec, 3);

        Assert.Equal("7 i0 view 0|7 i1 view 1|7 i2 view 2", Events(Read("user=user.id,item=item_id,type=kind,time=at", path)));
    }

    [Theory]
    [InlineData("gz", "the gzip data is truncated or damaged")]
    [InlineData("zst", "the zstd data is truncated or damaged")]
    public void ReadAll_CompressedFileCutOff_IsRefused(string kind, string expected)
    {
        byte[] text = Encoding.UTF8.GetBytes(
            "user,item,timestamp\n"
                + string.Concat(Enumerable.Range(0, 3000).Select(i => $"u{i * 7919 % 1000},i{i * 104729 % 5000},{1_700_000_000 + i}\n"))
        );
        var packed = new MemoryStream();
        using (
            Stream stream =
                kind == "gz"
                    ? new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true)
                    : new ZstdSharp.CompressionStream(packed, leaveOpen: true)
        )
        {
            stream.Write(text);
        }

        Assert.Equal(3000, Read(null, Write(packed.ToArray())).Count);
        foreach (
            byte[] cut in (byte[][])
                [packed.ToArray()[..(int)(packed.Length / 2)], packed.ToArray()[..^1], [.. packed.ToArray(), .. packed.ToArray()[..100]]]
        )
        {
            Assert.Contains(
                expected,
                Assert.Throws<InputFileException>(() => Read(null, Write(cut))).Message,
                StringComparison.OrdinalIgnoreCase
            );
        }
    }

    [Theory]
    [InlineData("user,item,timestamp\n", "no events (there are no rows)")]
    [InlineData("[]", "no event")]
    [InlineData("user,item,timestamp\nu,i,20231101\n", "line 2: time (timestamp) \"20231101\" is not a time, as s it would be 1970-08-23")]
    [InlineData("user,item,timestamp\nu,i,20231114221320\n", "line 2: time (timestamp)")]
    [InlineData("user,item,timestamp\nu,i,01/02/2023\n", "line 2: time (timestamp) \"01/02/2023\" is not a time")]
    [InlineData("user,item\nu,i\n", "no column is recognised as time")]
    [InlineData("a binary \0 file", "neither text nor of a known format")]
    [InlineData("[1,2,3]\n", "user (a) is missing", "user=a,item=b,time=c")]
    [InlineData(
        "user,item,timestamp\nu,i,1700000000\n",
        "line 1: there is no column 'knd'; the file has user, item, timestamp",
        "user=user,item=item,type=knd,time=timestamp"
    )]
    [InlineData("{\"u\":1,\"i\":2,\"t\":1700000000}\n", "type=knd occurs in none of the 1 records", "user=u,item=i,time=t,type=knd")]
    [InlineData("{\"u\":1,\"i\":2}\n", "lacks the time", "user=u,item=i")]
    [InlineData("{\"u\":1,\"i\":2}\n", "id=$key is for topics", "user=u,item=i,time=t,id=$key")]
    [InlineData("{\"took\":3,\"rows\":[{\"u\":1}]}\n", "user (u) is missing; the record has took, rows", "user=u,item=i,time=t")]
    public void ReadAll_WhatGivesNoEvents_IsRefusedInOneLine(string text, string expected, string? columns = null)
    {
        string path = Write(Encoding.UTF8.GetBytes(text));

        string message = Assert.Throws<InputFileException>(() => Read(columns, path)).Message;

        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void ReadAll_StrayQuotes_CountTheLinesThatTheySwallowed()
    {
        string[] lines =
        [
            .. Enumerable.Range(0, 200).Select(i => $"u{i},{(i is 10 or 150 ? "\"" : string.Empty)}i{i},{1_700_000_000 + i}"),
        ];
        string path = Write(Encoding.UTF8.GetBytes("user,item,timestamp\n" + string.Join('\n', lines) + "\n"));

        string message = Assert.Throws<InputFileException>(() => Read(null, path)).Message;

        Assert.Contains("141 of 200 rows cannot be read", message, StringComparison.Ordinal);
        Assert.Contains("line 12: text after a closing quote", message, StringComparison.Ordinal);
        Assert.Equal(200, EventFileReader.ReadAll([path], new EventFileOptions { Quote = "none" }, _warnings.Add).Count);
    }

    [Fact]
    public void ReadAll_BytesThatAreNotUtf8_AreBadWhereTheyAreUsed()
    {
        byte[] rows =
        [
            .. Encoding.UTF8.GetBytes("user,item,title,timestamp\n" + string.Concat(Enumerable.Repeat("u,i,t,1700000000\n", 40))),
            .. Encoding.Latin1.GetBytes("u,i,Müller,1700000000\nMüller,i,t,1700000000\n"),
        ];

        EventLog log = Read(null, Write(rows));

        Assert.Equal((41, 1L), (log.Count, log.Bad));
        Assert.Contains("line 43: user (user) is not UTF-8", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void ReadAll_NothingButBadRows_IsGivenUpEarly()
    {
        string path = Write(Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Repeat("{\"no\":1}", 100_000)) + "]"));

        Assert.Contains(
            "none of the first 1000 rows",
            Assert.Throws<InputFileException>(() => Read(null, path)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("BZh91AY", "bzip2")]
    [InlineData("PK\u0003\u0004", "a zip archive (or an Excel workbook)")]
    [InlineData("ORC", "an ORC file")]
    [InlineData("ARROW1\0\0", "an Arrow or Feather file")]
    public void ReadAll_OtherKindsOfFile_AreNamed(string start, string expected) =>
        Assert.Contains(
            expected,
            Assert.Throws<InputFileException>(() => Read(null, Write(Encoding.UTF8.GetBytes(start + new string('x', 99))))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public async Task ReadAll_DamagedParquetAndAvro_AreRefused()
    {
        string parquet = Path.Combine(_folder, "d.parquet");
        string avro = Path.Combine(_folder, "d.avro");
        await WriteParquetAsync(parquet, ("user_id", (double[])[1, 2]), ("item_id", (string[])["a", "b"]), ("ts", (long[])[Start, Start]));
        WriteAvro(avro, "deflate", 100);
        foreach (string path in (string[])[parquet, avro])
        {
            byte[] whole = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
            foreach (int length in (int[])[5, whole.Length / 2, whole.Length - 3])
            {
                string cut = Write(whole[..length]);
                Assert.StartsWith(
                    cut,
                    Assert.Throws<InputFileException>(() => Read("user=user_id,item=item_id,time=ts", cut)).Message,
                    StringComparison.Ordinal
                );
            }
        }
    }

    /// <summary>Times of 1970 tell the units apart: a number of that size is not taken for a time without a unit.</summary>
    [Theory]
    [InlineData("long", "timestamp-millis", 700_000_000_645, 0)]
    [InlineData("long", "timestamp-micros", 700_000_000_645_999, 0)]
    [InlineData("long", "timestamp-nanos", 700_000_000_645_999_999, 0)]
    [InlineData("long", "local-timestamp-millis", 700_000_000_645, -60)]
    [InlineData("long", "local-timestamp-micros", 700_000_000_645_999, -60)]
    [InlineData("long", "local-timestamp-nanos", 700_000_000_645_999_999, -60)]
    [InlineData("int", "date", 8101, -60)]
    public void ReadAll_AvroLogicalTypes_GiveTheUnitAndTheZone(string type, string logical, long stored, int minutes)
    {
        string path = Write(
            AvroFile(
                $$"""
                {"type":"record","name":"E","fields":[{"name":"user","type":"string"},{"name":"item","type":"string"},
                {"name":"time","type":["null",{"type":"{{type}}","logicalType":"{{logical}}"}]}]}
                """,
                [2, (byte)'7', 2, (byte)'i', 2, .. Zigzag(stored)]
            )
        );
        EventLog log = EventFileReader.ReadAll(
            [path],
            new EventFileOptions { Times = new TimeReader(zone: TimeReader.FindZone("+01:00")) },
            _warnings.Add
        );

        long expected = logical == "date" ? 8101 * 86_400_000L : 700_000_000_645;
        Assert.Equal(expected + (minutes * 60_000L), log[0].Time);
    }

    [Fact]
    public async Task ReadAll_Pipe_IsReadOnce()
    {
        string pipe = Path.Combine(_folder, "pipe");
        using (var made = Process.Start("mkfifo", pipe))
        {
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, made.ExitCode);
        }

        var writing = Task.Run(
            () =>
                File.WriteAllText(
                    pipe,
                    "user,item,timestamp\n" + string.Concat(Enumerable.Range(0, 20_000).Select(i => $"u{i},i,{1_700_000_000 + i}\n"))
                ),
            TestContext.Current.CancellationToken
        );

        Assert.Equal(20_000, Read(null, pipe).Count);
        await writing;
    }

    [Fact]
    public void EventLog_OfManyPages_KeepsEveryEventAndItsOrder()
    {
        var random = new Random(3);
        EventRow[] rows =
        [
            .. Enumerable
                .Range(0, 100_000)
                .Select(i => new EventRow(
                    $"u{random.Next(70_000)}",
                    $"i{random.Next(300)}",
                    Start + random.Next(50_000),
                    i % 3 == 0 ? "view" : "cart",
                    i % 5 == 0 ? null : $"e{i}",
                    i % 7 == 0 ? i / 4.0 : null,
                    i % 11 == 0 ? i : null
                )),
        ];
        string path = Write(
            Encoding.UTF8.GetBytes(
                "u,i,k,t,e,v,d\n"
                    + string.Concat(
                        rows.Select(row =>
                            string.Create(
                                CultureInfo.InvariantCulture,
                                $"{row.User},{row.Item},{row.Type},{row.Time},{row.EventId},{row.Value},{row.Dwell}\n"
                            )
                        )
                    )
            )
        );

        EventLog log = Read("user=u,item=i,type=k,time=t,id=e,value=v,dwell=d", path);

        Assert.Equal(rows.OrderBy(row => row.Time), Enumerable.Range(0, log.Count).Select(i => log[i]));
        log.KeepFirst(10);
        Assert.Equal(10, log.Count);
    }

    private static async Task WriteParquetAsync(string path, params (string Name, Array Values)[] columns)
    {
        var schema = new ParquetSchema(
            columns.Select(column => new DataField(
                column.Name,
                column.Values.GetType().GetElementType()!,
                isNullable: column.Values is string[]
            ))
        );
        await using FileStream file = File.Create(path);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(schema, file);
        using ParquetRowGroupWriter group = writer.CreateRowGroup();
        foreach ((DataField field, (_, Array values)) in schema.DataFields.Zip(columns))
        {
            await (
                values switch
                {
                    double[] numbers => group.WriteAsync<double>(field, numbers),
                    long[] numbers => group.WriteAsync<long>(field, numbers),
                    _ => group.WriteAsync(field, (string[])values),
                }
            );
        }
    }

    /// <summary>A container file of one record, byte by byte as the specification has it.</summary>
    private static byte[] AvroFile(string schema, byte[] record)
    {
        byte[] sync = new byte[16];
        byte[] text = Encoding.UTF8.GetBytes(schema);
        byte[] name = "avro.schema"u8.ToArray();
        return
        [
            .. "Obj\x01"u8,
            .. Zigzag(1),
            .. Zigzag(name.Length),
            .. name,
            .. Zigzag(text.Length),
            .. text,
            0,
            .. sync,
            .. Zigzag(1),
            .. Zigzag(record.Length),
            .. record,
            .. sync,
        ];
    }

    private static byte[] Zigzag(long number)
    {
        ulong left = (ulong)((number << 1) ^ (number >> 63));
        List<byte> bytes = [];
        for (; left > 0x7F; left >>= 7)
        {
            bytes.Add((byte)(left | 0x80));
        }

        return [.. bytes, (byte)left];
    }

    private static void WriteAvro(string path, string codec, int count)
    {
        var schema = (Avro.RecordSchema)
            Avro.Schema.Parse(
                """
                {"type":"record","name":"Event","fields":[
                  {"name":"user","type":["null",{"type":"record","name":"User","fields":[{"name":"id","type":"long"}]}]},
                  {"name":"item_id","type":"string"},
                  {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["view","cart"]}},
                  {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-micros"}]},
                  {"name":"tags","type":{"type":"array","items":"string"}},
                  {"name":"more","type":{"type":"map","values":"double"}}]}
                """
            );
        var user = (Avro.RecordSchema)((Avro.UnionSchema)schema["user"].Schema).Schemas[1];
        using IFileWriter<AvroRecord> writer = DataFileWriter<AvroRecord>.OpenWriter(
            new GenericDatumWriter<AvroRecord>(schema),
            path,
            codec is "null" or "deflate" ? Codec.CreateCodecFromString(codec) : new WritingCodec(codec)
        );
        for (int i = 0; i < count; i++)
        {
            var inner = new AvroRecord(user);
            inner.Add("id", 7L);
            var record = new AvroRecord(schema);
            record.Add("user", inner);
            record.Add("item_id", $"i{i}");
            record.Add("kind", new GenericEnum((Avro.EnumSchema)schema["kind"].Schema, "view"));
            record.Add("at", DateTime.UnixEpoch.AddMilliseconds(Start + i));
            record.Add("tags", new object[] { "a", "b" });
            record.Add("more", new Dictionary<string, object> { ["x"] = 1.5 });
            writer.Append(record);
        }
    }

    private static string Events(EventLog log) =>
        string.Join('|', Enumerable.Range(0, log.Count).Select(i => $"{log[i].User} {log[i].Item} {log[i].Type} {log[i].Time - Start}"));

    private EventLog Read(string? columns, string path) =>
        EventFileReader.ReadAll([path], new EventFileOptions { Columns = columns is null ? null : FieldMap.Parse(columns) }, _warnings.Add);

    private string Write(byte[] content)
    {
        string path = Path.Combine(_folder, Guid.NewGuid().ToString("N"));
        File.WriteAllBytes(path, content);
        return path;
    }

    private sealed class ParquetRow
    {
        [System.Text.Json.Serialization.JsonPropertyName("user")]
        public ParquetUser? User { get; set; }

        [System.Text.Json.Serialization.JsonPropertyName("at")]
        [ParquetTimestamp(ParquetTimestampResolution.Microseconds, true, true)]
        public DateTime At { get; set; }

        [System.Text.Json.Serialization.JsonPropertyName("lines")]
        public List<ParquetLine>? Lines { get; set; }
    }

    private sealed class ParquetUser
    {
        [System.Text.Json.Serialization.JsonPropertyName("id")]
        public long? Id { get; set; }
    }

    private sealed class ParquetLine
    {
        [System.Text.Json.Serialization.JsonPropertyName("sku")]
        public string? Sku { get; set; }
    }

    /// <summary>Writes what the library omits but other writers include.</summary>
    private sealed class WritingCodec(string name) : Codec
    {
        public override byte[] Compress(byte[] uncompressedData)
        {
            if (name == "zstandard")
            {
                using var compressor = new ZstdSharp.Compressor();
                return compressor.Wrap(uncompressedData).ToArray();
            }

            byte[] checksum = BitConverter.GetBytes(System.IO.Hashing.Crc32.HashToUInt32(uncompressedData));
            Array.Reverse(checksum);
            return [.. Snappier.Snappy.CompressToArray(uncompressedData), .. checksum];
        }

        public override void Compress(MemoryStream inputStream, MemoryStream outputStream)
        {
            byte[] bytes = Compress(inputStream.ToArray());
            outputStream.SetLength(0);
            outputStream.Write(bytes);
        }

        public override byte[] Decompress(byte[] compressedData, int blockLength) => throw new NotSupportedException();

        public override string GetName() => name;

        public override bool Equals(object? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => 0;
    }
}
