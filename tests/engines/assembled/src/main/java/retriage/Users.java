package retriage;

import jakarta.servlet.Filter;
import org.camunda.bpm.engine.IdentityService;
import org.camunda.bpm.engine.identity.User;
import org.camunda.bpm.engine.rest.security.auth.ProcessEngineAuthenticationFilter;
import org.camunda.bpm.engine.rest.security.auth.impl.HttpBasicAuthenticationProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** With --reference.user=NAME:PASSWORD the REST API asks for HTTP Basic, and this user is known. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnProperty("reference.user")
public class Users {

  @Bean
  FilterRegistrationBean<Filter> authentication() {
    FilterRegistrationBean<Filter> registration = new FilterRegistrationBean<>(new ProcessEngineAuthenticationFilter());
    registration.addInitParameter("authentication-provider", HttpBasicAuthenticationProvider.class.getName());
    registration.addInitParameter("rest-url-pattern-prefix", "/engine-rest");
    registration.addUrlPatterns("/engine-rest/*");
    registration.setAsyncSupported(true);
    return registration;
  }

  @Bean
  CommandLineRunner user(IdentityService identities, @Value("${reference.user}") String given) {
    return arguments -> {
      String[] parts = given.split(":", 2);
      User user = identities.newUser(parts[0]);
      user.setPassword(parts[1]);
      identities.saveUser(user);
    };
  }
}
