package retriage;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** One engine named "default" with its REST API under /engine-rest; everything else is left at its defaults. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import({Users.class, TurnedClock.class})
public class ReferenceEngine {

  public static void main(String[] arguments) {
    new SpringApplicationBuilder(ReferenceEngine.class).run(arguments);
  }
}
