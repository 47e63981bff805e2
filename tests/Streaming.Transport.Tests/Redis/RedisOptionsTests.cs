using Streaming.Core;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

public class RedisOptionsTests
{
    [Fact]
    public void Errors_Defaults_None() => Assert.Empty(new RedisOptions().Errors());

    [Fact]
    public void Errors_EverythingWrong_NamesEachWithItsValue()
    {
        RedisOptions options = new()
        {
            Configuration = " ",
            PasswordFile = "/no/such/file",
            CertificateAuthorityFile = "/no/such/ca",
            Model = "a:b",
            Partitions = 0,
            Element = (EmbeddingElement)9,
            Layout = (EmbeddingKeyLayout)9,
            TimeToLive = TimeSpan.FromMilliseconds(1),
            TimeToLiveJitter = double.NaN,
            ChangeFeedLength = -1,
            BatchSize = 0,
            ConnectTimeout = TimeSpan.Zero,
            CommandTimeout = TimeSpan.Zero,
            RetryAttempts = 0,
            RetryDelay = TimeSpan.Zero,
            LeaseDuration = TimeSpan.Zero,
        };
        IReadOnlyList<string> errors = options.Errors();

        Assert.Equal(16, errors.Count);
        Assert.All(errors, error => Assert.StartsWith("Redis ", error, StringComparison.Ordinal));
        Assert.Contains("Redis Partitions is 0; allowed: 1 to 16384.", errors);
        Assert.Contains("Redis PasswordFile is '/no/such/file'; no such file.", errors);
        Assert.Throws<ArgumentException>(options.Validate);
    }

    [Theory]
    [InlineData("localhost,passwrd=s3cret")]
    [InlineData("localhost,password=s3cret,syncTimeout=s3cret")]
    [InlineData("localhost,s3cret=s3cret,ssl=s3cret")]
    public async Task OpenAsync_ConfigurationNotReadable_ErrorNamesKeywordsOnly(string configuration)
    {
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() =>
            RedisConnection.OpenAsync(new RedisOptions { Configuration = configuration }, TestContext.Current.CancellationToken));

        Assert.DoesNotContain("=s3cret", error.ToString(), StringComparison.Ordinal);
        Assert.Null(error.InnerException);
    }
}
