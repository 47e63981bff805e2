namespace Streaming.Formats.Tests.Files; internal static class SampleFilesTests { }
